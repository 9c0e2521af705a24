"""One table of all kernels: each is tested, checked in its assembly, and timed by a bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tvm.tirx import PrimFunc

from te_schedules.cpu import conv2d_samples, kernel_samples
from te_schedules.cpu.conv2d import conv2d
from te_schedules.cpu.conv2d_depthwise import conv2d_depthwise
from te_schedules.cpu.conv2d_winograd import conv2d_winograd
from te_schedules.cpu.elementwise import elementwise
from te_schedules.cpu.fully_connected import fully_connected, sparse_fully_connected
from te_schedules.cpu.kernel_sample import Sample
from te_schedules.cpu.pool2d import global_average_pool, pool2d
from te_schedules.cpu.relayout import relayout

__all__ = ["KERNELS", "Kernel"]


@dataclass(frozen=True)
class Kernel:
    """A generator of kernels, and a sample of what it makes for a number of lanes.

    Attributes:
        allocates: it keeps something in memory while it runs, besides its registers.
    """

    generator: Callable[..., PrimFunc]
    sample: Callable[[int], Sample]
    allocates: bool = False


KERNELS: Mapping[str, Kernel] = {
    "pattern conv2d": Kernel(conv2d, conv2d_samples.sample_pattern_conv2d),
    "connectivity conv2d": Kernel(conv2d, conv2d_samples.sample_connectivity_conv2d),
    "dense conv2d": Kernel(conv2d, conv2d_samples.sample_dense_conv2d),
    "depthwise conv2d": Kernel(conv2d, conv2d_samples.sample_depthwise_conv2d),
    "conv2d and depthwise conv2d": Kernel(
        conv2d_depthwise, conv2d_samples.sample_conv2d_depthwise, allocates=True
    ),
    "generic sparse conv2d": Kernel(conv2d, conv2d_samples.sample_generic_sparse_conv2d),
    "winograd conv2d": Kernel(
        conv2d_winograd, conv2d_samples.sample_winograd_conv2d, allocates=True
    ),
    "packed conv2d": Kernel(conv2d_winograd, conv2d_samples.sample_packed_conv2d, allocates=True),
    "max pool2d": Kernel(pool2d, kernel_samples.sample_max_pool2d),
    "average pool2d": Kernel(pool2d, kernel_samples.sample_average_pool2d),
    "global average pool": Kernel(global_average_pool, kernel_samples.sample_global_average_pool),
    "elementwise": Kernel(elementwise, kernel_samples.sample_elementwise),
    "relayout": Kernel(relayout, kernel_samples.sample_relayout, allocates=True),
    "fully connected": Kernel(fully_connected, kernel_samples.sample_fully_connected),
    "sparse fully connected": Kernel(
        sparse_fully_connected, kernel_samples.sample_sparse_fully_connected
    ),
}
