"""Times each kernel of a model where it is loaded: here, or on a device whose server does it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import tvm_ffi

__all__ = ["KERNEL_TIMES_FUNCTION", "call_times", "kernel_times"]

KERNEL_TIMES_FUNCTION = "tvm_patdnn.kernel_times"  # what our servers answer


def kernel_times(machine: Any) -> str:
    """Runs a model once.

    Args:
        machine: TVM's virtual machine, a module whose inputs are set.

    Returns:
        The name and the seconds of each call of a kernel, in order, as JSON.
    """

    def set_instrument(instrument: Any) -> None:
        machine["set_instrument"](tvm_ffi.convert(instrument))

    return json.dumps(call_times(set_instrument, lambda: machine["invoke_stateful"]("main")))


def call_times(
    set_instrument: Callable[[Any], Any], run: Callable[[], Any]
) -> list[tuple[str, float]]:
    """Returns the name and the seconds of each call that a virtual machine makes in ``run``.

    Args:
        set_instrument: the machine's.
    """
    spent: list[tuple[str, float]] = []
    begun = 0.0

    def instrument(func: Any, name: str, before: bool, result: Any, *args: Any) -> None:
        nonlocal begun
        if before:
            begun = time.perf_counter()
        else:
            spent.append((str(name), time.perf_counter() - begun))

    set_instrument(instrument)
    try:
        run()
    finally:
        set_instrument(lambda *args: None)
    return spent
