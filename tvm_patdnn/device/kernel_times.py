"""Times each kernel of a model where it is loaded: here, or on a device whose server does it."""

from __future__ import annotations

import json
import time
from typing import Any

import tvm_ffi

__all__ = ["KERNEL_TIMES_FUNCTION", "kernel_times"]

KERNEL_TIMES_FUNCTION = "tvm_patdnn.kernel_times"  # what our servers answer


def kernel_times(machine: Any) -> str:
    """Runs a model once.

    Args:
        machine: TVM's virtual machine, a module whose inputs are set.

    Returns:
        The name and the seconds of each call of a kernel, in order, as JSON.
    """
    spent: list[tuple[str, float]] = []
    begun = 0.0

    def instrument(func: Any, name: str, before: bool, result: Any, *args: Any) -> None:
        nonlocal begun
        if before:
            begun = time.perf_counter()
        else:
            spent.append((str(name), time.perf_counter() - begun))

    machine["set_instrument"](tvm_ffi.convert(instrument))
    try:
        machine["invoke_stateful"]("main")
    finally:
        machine["set_instrument"](tvm_ffi.convert(lambda *args: None))
    return json.dumps(spent)
