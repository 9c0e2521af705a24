"""The same network for every vector width that this machine runs, and what is generated."""

from __future__ import annotations

import re

import numpy as np
import onnxruntime
import pytest
import tvm_ffi

import tvm_patdnn
from tests.built import inputs, pruned_network
from tvm_patdnn.machine.host_cpu import host_triple
from tvm_patdnn.machine.triples import architecture

# The target, what the machine must have to run it, and a multiply-add of its vectors.
HERE = {"x86-64": "sse2", "x86-64-v2": "sse4.2", "x86-64-v3": "avx2", "x86-64-v4": "avx512f"}
MULTIPLY_ADD = {
    "raspberry-pi-4": r"fmla\s+v\d+\.4s",
    "llvm -mtriple=aarch64-linux-gnu": r"fmla\s+v\d+\.4s",
    "x86-64-v3": r"vfmadd\d+ps.*%ymm",
    "x86-64-v4": r"vfmadd\d+ps.*%zmm",
    "x86-64": r"mulps\s.*%xmm",
}


@pytest.mark.parametrize("target", HERE)
def test_numbers_with_every_vector_width(target):
    if architecture(host_triple()) != "x86_64":
        pytest.skip("this machine is not an x86-64")
    features = tvm_ffi.get_global_func("tvm.codegen.llvm.GetHostCPUFeatures")()
    if not dict(features).get(HERE[target]):
        pytest.skip(f"this machine has no {HERE[target]}")
    model = pruned_network()
    (expected,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, inputs())
    (got,) = tvm_patdnn.build(model, target).run(inputs()).values()
    assert np.abs(got - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("target", MULTIPLY_ADD)
def test_kernels_multiply_and_add_whole_vectors(target):
    code = tvm_patdnn.build(pruned_network(), target).assembly()
    kernel = code[code.index("pattern_conv2d") :]
    assert len(re.findall(MULTIPLY_ADD[target], kernel)) > 16


@pytest.mark.parametrize(
    ("target", "prefetch"), [("raspberry-pi-4", r"prfm\s+pst"), ("x86-64-v4", "prefetch")]
)
def test_what_a_tile_is_stored_to_is_fetched_while_its_sums_are_computed(target, prefetch):
    code = tvm_patdnn.build(pruned_network(), target).assembly()
    kernel = code[code.index("pattern_conv2d") :]
    assert re.search(prefetch, kernel)


def test_kernels_do_not_check_what_the_machine_passes_them():
    assert "mismatched" not in tvm_patdnn.build(pruned_network()).assembly().lower()
