"""The table of kernels for bytes: each is tested, and checked in its assembly."""

from __future__ import annotations

from collections.abc import Mapping

from te_schedules.cpu.int8.fully_connected import int8_fully_connected
from te_schedules.cpu.int8.int8_samples import sample_int8_conv2d, sample_int8_fully_connected
from te_schedules.cpu.int8.strip_conv2d import strip_conv2d
from te_schedules.cpu.kernel_table import Kernel

__all__ = ["INT8_KERNELS"]

INT8_KERNELS: Mapping[str, Kernel] = {
    "int8 conv2d": Kernel(strip_conv2d, sample_int8_conv2d, allocates=True),
    "int8 fully connected": Kernel(int8_fully_connected, sample_int8_fully_connected),
}
