"""Not a model: how many multiply-adds this machine can do, as a roof for all kernels."""

from __future__ import annotations

from typing import Any

from tvm_patdnn.bench.systems.peak_loop import Step, peak_system

__all__ = ["SYSTEM"]


def _step(cpu: Any) -> Step:
    return Step(
        lanes=cpu.lanes,
        dtype="float32",
        macs=cpu.lanes,
        code=lambda register, factor: register * factor + factor,
    )


# Starting from 0.5 the sums go to 1 and stay there: no overflow, no denormal numbers.
SYSTEM = peak_system("fma-peak", 0.5, _step)
