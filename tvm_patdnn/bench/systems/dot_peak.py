"""Not a model: how many products of bytes this machine can add up, as a roof for int8 kernels."""

from __future__ import annotations

from typing import Any

from tvm_patdnn.bench.systems.peak_loop import Step, peak_system

__all__ = ["SYSTEM"]

_TAPS = 4  # products of bytes that are added to an int32


def _step(cpu: Any) -> Step:
    from tvm.tirx.script import builder as T

    from te_schedules.cpu.int8.instruction_sets import instructions_for

    instructions = instructions_for(cpu)
    size = instructions.bytes

    def code(register: Any, factor: Any) -> Any:
        # The sum itself is multiplied: products of what stays would be computed once.
        values, weights = (
            T.reinterpret(f"{kind}x{size}", each)
            for kind, each in (("uint8", register), ("int8", factor))
        )
        return instructions.dot(register, values, weights)

    return Step(lanes=instructions.lanes, dtype="int32", macs=_TAPS * instructions.lanes, code=code)


SYSTEM = peak_system("dot-peak", 0x01020304, _step)
