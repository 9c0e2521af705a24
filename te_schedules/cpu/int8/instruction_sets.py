"""The primitives for bytes, by the names of the instructions."""

from __future__ import annotations

from collections.abc import Mapping

from te_schedules.cpu.int8.arm_instructions import DOTPROD, I8MM, NEON
from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.plain_instructions import plain
from te_schedules.cpu.int8.x86_instructions import AVX2, AVX512_VBMI, AVX512_VNNI, AVX_VNNI
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["INSTRUCTION_SETS", "instructions_for"]

LONGEST = 8  # lanes that are of use without instructions for bytes

INSTRUCTION_SETS: Mapping[str, Instructions] = {
    each.name: each for each in (AVX512_VBMI, AVX512_VNNI, AVX_VNNI, AVX2, I8MM, DOTPROD, NEON)
}


def instructions_for(cpu: CpuModel) -> Instructions:
    """Returns the primitives that ``cpu`` has."""
    found = INSTRUCTION_SETS.get(cpu.dots)
    return found or plain(min(cpu.lanes, LONGEST), cpu.registers)
