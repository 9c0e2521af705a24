"""One small pruned network, built once for all tests that need a library."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

import tvm_patdnn
from tests.onnx_models import model_of
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.cross_compile import export_compiler
from tvm_patdnn.library.library import Library
from tvm_patdnn.machine.host_cpu import host_triple
from tvm_patdnn.machine.triples import architecture

__all__ = [
    "FOREIGN_TARGET",
    "foreign_library",
    "inputs",
    "library",
    "network",
    "pruned_network",
    "require_linker",
    "standalone_library",
]

FOREIGN_TARGET = (
    "llvm -mtriple=x86_64-linux-gnu -mcpu=x86-64-v3"
    if architecture(host_triple()) == "aarch64"
    else "llvm -mtriple=aarch64-linux-gnu"
)


@cache
def network() -> onnx.ModelProto:
    """Two convolutions: x (1, 3, 16, 16) -> conv1 3x3 -> ReLU -> conv2 3x3 -> y (1, 8, 16, 16)."""
    random = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["x", "conv1.weight"], ["a"], name="conv1", pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["b"], name="relu"),
        helper.make_node("Conv", ["b", "conv2.weight"], ["y"], name="conv2", pads=[1] * 4),
    ]
    weights = {
        "conv1.weight": random.standard_normal((8, 3, 3, 3), np.float32),
        "conv2.weight": random.standard_normal((8, 8, 3, 3), np.float32),
    }
    return model_of(nodes, inputs={"x": (1, 3, 16, 16)}, weights=weights)


@cache
def pruned_network() -> onnx.ModelProto:
    """``network`` with patterns in conv2."""
    return tvm_patdnn.prune_onnx(network(), patterns=4, connectivity=2)


def inputs() -> dict[str, np.ndarray]:
    """An input of the network."""
    return {"x": np.random.default_rng(1).standard_normal((1, 3, 16, 16), np.float32)}


@cache
def library() -> Library:
    """``pruned_network`` for this machine."""
    return tvm_patdnn.build(pruned_network())


@cache
def foreign_library() -> Library:
    """``pruned_network`` for a machine of another architecture."""
    return tvm_patdnn.build(pruned_network(), FOREIGN_TARGET)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="tvm-patdnn-tests-")


@cache
def standalone_library() -> Path:
    """A file with ``library`` as a standalone library; the prefix of its functions is "net"."""
    require_linker(library())
    path = Path(_folder().name) / "net.so"
    library().export_standalone(path, "net")
    return path


def require_linker(library: Library) -> None:
    """Skips the test when this machine cannot link for the library's target."""
    try:
        export_compiler(library.target)
    except BuildError as error:
        pytest.skip(str(error))
