"""The table of kernels for bytes: each is tested, and checked in its assembly."""

from __future__ import annotations

from collections.abc import Mapping

from te_schedules.cpu.int8 import plane_samples
from te_schedules.cpu.int8.combine_planes import join_planes, sum_planes
from te_schedules.cpu.int8.convert_planes import (
    dequantize_planes,
    flatten_planes,
    plain_bytes,
    quantize_planes,
    stored_bytes,
)
from te_schedules.cpu.int8.enlarge_planes import enlarge_planes
from te_schedules.cpu.int8.fully_connected import int8_fully_connected
from te_schedules.cpu.int8.int8_samples import (
    sample_int8_conv2d,
    sample_int8_fully_connected,
    sample_int8_winograd,
)
from te_schedules.cpu.int8.look_up_planes import look_up_planes
from te_schedules.cpu.int8.mean_of_planes import mean_of_planes
from te_schedules.cpu.int8.pool_planes import average_planes, max_planes
from te_schedules.cpu.int8.strip_conv2d import strip_conv2d
from te_schedules.cpu.int8.winograd_conv2d import winograd_conv2d
from te_schedules.cpu.kernel_table import Kernel

__all__ = ["INT8_KERNELS"]

INT8_KERNELS: Mapping[str, Kernel] = {
    "int8 conv2d": Kernel(strip_conv2d, sample_int8_conv2d, allocates=True),
    "int8 winograd conv2d": Kernel(winograd_conv2d, sample_int8_winograd, allocates=True),
    "int8 fully connected": Kernel(int8_fully_connected, sample_int8_fully_connected),
    "quantize planes": Kernel(quantize_planes, plane_samples.sample_quantize_planes),
    "dequantize planes": Kernel(dequantize_planes, plane_samples.sample_dequantize_planes),
    "plain bytes": Kernel(plain_bytes, plane_samples.sample_plain_bytes),
    "stored bytes": Kernel(stored_bytes, plane_samples.sample_stored_bytes),
    "flatten planes": Kernel(flatten_planes, plane_samples.sample_flatten_planes),
    "look up planes": Kernel(look_up_planes, plane_samples.sample_look_up_planes),
    "sum planes": Kernel(sum_planes, plane_samples.sample_sum_planes),
    "join planes": Kernel(join_planes, plane_samples.sample_join_planes),
    "enlarge planes": Kernel(enlarge_planes, plane_samples.sample_enlarge_planes),
    "max planes": Kernel(max_planes, plane_samples.sample_max_planes),
    "average planes": Kernel(average_planes, plane_samples.sample_average_planes),
    "mean of planes": Kernel(mean_of_planes, plane_samples.sample_mean_of_planes),
}
