import pytest
import tvm

from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from tests.te_schedules.cpu.int8.dots import dot_function
from tvm_patdnn.machine.targets import resolve_target

CODE = {
    "dotprod": ("cortex-a76", ("sdot",)),
    "i8mm": ("neoverse-v1", ("usdot",)),
    "neon": ("cortex-a72", ("smull", "sadalp")),
}


@pytest.mark.parametrize("name", CODE)
def test_a_dot_is_the_instructions_it_should_be(name):
    cpu, words = CODE[name]
    func = dot_function(INSTRUCTION_SETS[name]).with_attr("global_symbol", "kernel")
    target = resolve_target(f"llvm -mtriple=aarch64-linux-gnu -mcpu={cpu}")
    built = tvm.compile(tvm.IRModule({"kernel": func}), target=target)
    assembly = built.mod.inspect_source("asm")
    assert [word for word in words if word not in assembly] == []


def test_only_i8mm_takes_bytes_as_they_are():
    signed = {name for name in CODE if INSTRUCTION_SETS[name].signed}
    assert signed == {"dotprod", "neon"}
