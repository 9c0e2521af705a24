from dataclasses import replace

import pytest
import tvm

from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from tests.te_schedules.cpu.int8.dots import ANY, assert_dot, dot_function
from tests.te_schedules.cpu.int8.instruction_samples import RUN_HERE
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
