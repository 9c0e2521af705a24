from dataclasses import replace

import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from tests.te_schedules.cpu.int8.dots import ANY, assert_dot, couple_function, dot_function
from tests.te_schedules.cpu.int8.instruction_samples import RUN_HERE
from tests.te_schedules.cpu.lane_kernels import compiled
from tvm_patdnn.machine.targets import resolve_target

CODE = {
    "avx2": ("haswell", ("vpmaddubsw", "vpmaddwd", "vpaddd")),
    "avx-vnni": ("alderlake", ("vpdpbusd",)),
    "avx512-vnni": ("cascadelake", ("vpdpbusd", "zmm")),
    "avx512-vbmi": ("znver4", ("vpdpbusd", "zmm")),
}


@pytest.mark.parametrize("instructions", RUN_HERE)
def test_sums_are_exact(instructions):
    assert_dot(instructions)


@pytest.mark.parametrize("instructions", RUN_HERE[3:4])
def test_sums_of_any_weights_are_exact(instructions):
    assert_dot(replace(instructions, dot=instructions.any_dot), ANY)


@pytest.mark.parametrize("name", CODE)
def test_a_dot_is_the_instructions_it_should_be(name):
    cpu, words = CODE[name]
    func = dot_function(INSTRUCTION_SETS[name]).with_attr("global_symbol", "kernel")
    target = resolve_target(f"llvm -mtriple=x86_64-linux-gnu -mcpu={cpu}")
    built = tvm.compile(tvm.IRModule({"kernel": func}), target=target)
    assembly = built.mod.inspect_source("asm")
    assert [word for word in words if word not in assembly] == []


@pytest.mark.parametrize("instructions", RUN_HERE[3:4])
@pytest.mark.parametrize(
    "weights",
    [
        [[127, 0, 100, -128], [1, 0, 28, 0]],  # 128 of a sign, added in 16 bits: the most
        [[-64, -1, 3, -100], [-63, 0, 125, -28]],
    ],
)
def test_sums_of_two_vectors_are_exact(instructions, weights):
    lib = compiled(couple_function(instructions)).jit()
    weights = np.array(weights, np.int8)
    values = np.random.default_rng(0).integers(0, 256, (2, instructions.lanes, 4)).astype(np.uint8)
    values[:, 0] = 255
    start = np.arange(instructions.lanes, dtype=np.int32) - 3
    output = tvm.runtime.tensor(np.zeros(instructions.lanes, np.int32))
    arrays = values.reshape(-1), weights.view(np.int32).reshape(-1), start
    lib["main"](*map(tvm.runtime.tensor, arrays), output)
    products = np.einsum("ept,et->p", values.astype(int), weights.astype(int))
    np.testing.assert_array_equal(output.numpy(), start + products)
