"""What a convolution on a GPU will load and multiply, from its plan alone."""

from __future__ import annotations

from dataclasses import dataclass

from te_schedules.gpu.conv2d_binding import GpuConv2d
from te_schedules.gpu.list_products import lane_reads

__all__ = ["LoadCounts", "expected_loads"]


@dataclass(frozen=True, kw_only=True)
class LoadCounts:
    """What a kernel does in one call, in values of all lanes of a warp.

    Attributes:
        inputs: loaded by lanes, each for all products of a kernel of weights that use it.
        products: multiplied by a weight and added.
    """

    inputs: int
    products: int


def expected_loads(kernel: GpuConv2d) -> LoadCounts:
    """Returns what the code of the kernel will do, without generating it."""
    geometry, fkw, schedule = kernel.geometry, kernel.fkw, kernel.schedule
    down, across = schedule.tiles(geometry.out_size)
    tiles = geometry.batch * down * across
    inputs = products = 0
    for pattern, kernels in zip(fkw.patterns, fkw.kernel_counts, strict=True):
        reads = len(lane_reads(pattern, geometry.window, schedule))
        inputs += tiles * kernels * reads * schedule.columns
        products += tiles * kernels * len(pattern) * fkw.group * schedule.rows * schedule.columns
    return LoadCounts(inputs=inputs, products=products)
