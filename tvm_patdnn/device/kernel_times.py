"""Times each kernel of a model where it is loaded: here, or on a device whose server does it."""

from __future__ import annotations

import json
from typing import Any

import tvm_ffi

from tvm_patdnn.device.call_times import call_times

__all__ = ["KERNEL_TIMES_FUNCTION", "kernel_times"]

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
