"""A static model of a convolution kernel's time, in cycles of one core.

It weighs what bounds the inner loop: products, vector loads, lines from the L2 cache, the
latency of a sum, and mispredicted ends of short loops. It ranks schedules and kernels;
its cycles are not a prediction of latency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from te_schedules.conv2d_code import tile_reads
from te_schedules.conv2d_geometry import Conv2dGeometry
from te_schedules.conv2d_schedule import Conv2dSchedule, Hold
from te_schedules.tiling import Tiling
from tvm_patdnn.cpu_model import CpuModel
from tvm_patdnn.patterns import Pattern

__all__ = ["L1_SHARE", "KernelLists", "cycles", "registers"]

LINE_BYTES = 64
PRODUCTS_PER_CYCLE = 2.0
LOADS_PER_CYCLE = 1.6  # measured with 64-byte loads that hit L1 on Intel; 2.0 on paper
LINES_PER_CYCLE = 0.55  # 64-byte lines from L2, in blocks in no order
ROW_CYCLES = 5.0  # where a block from L2 goes on in another row: a new page, no prefetch
PRODUCT_LATENCY = 4.0
KERNEL_OVERHEAD = 2.0  # index, address and branch, where they are not hidden
RUN_OVERHEAD = 10.0  # the end of a list of kernels, mispredicted about every other time
INTERFERENCE = 0.2  # what does not bound a loop still costs some of its time
PARTIAL_CYCLES = 5.0  # load and store of a sum between two windows of channels
L1_SHARE = 0.875  # of L1 that the inputs of a tile may take if they are to stay there
STORE_CYCLES = 3.0  # epilogue and store of an output vector, with its share of the halo


@dataclass(frozen=True, kw_only=True)
class KernelLists:
    """How many kernels a layer has of each pattern, over all groups of filters."""

    patterns: tuple[Pattern, ...]
    counts: tuple[int, ...]
    groups: int


def cycles(
    geometry: Conv2dGeometry, lists: KernelLists, schedule: Conv2dSchedule, cpu: CpuModel
) -> float:
    """Returns the cycles of the whole layer, divided over no threads."""
    tiles = (
        Tiling(geometry.out_layout.steps_y, schedule.rows).count
        * Tiling(geometry.out_layout.steps_x, schedule.vectors).count
    )
    sums = schedule.group * schedule.rows * schedule.vectors
    total = lists.groups * sums * STORE_CYCLES
    windows = -(-geometry.in_channels // schedule.window) if schedule.window else 1
    if windows > 1:
        total += lists.groups * sums * windows * PARTIAL_CYCLES
        total += max(
            _read_counts(geometry, pattern, schedule).vectors for pattern in lists.patterns
        ) * (geometry.in_channels * cpu.lanes * 4 / LINE_BYTES / LINES_PER_CYCLE)
    for pattern, count in zip(lists.patterns, lists.counts, strict=True):
        runs = min(count, lists.groups * windows)
        total += runs * RUN_OVERHEAD
        total += count * _kernel_cycles(geometry, pattern, schedule, cpu)
    return geometry.batch * tiles * total


def registers(
    schedule: Conv2dSchedule, patterns: Sequence[Pattern], geometry: Conv2dGeometry
) -> int:
    """Returns how many vector registers the inner loop needs."""
    sums = schedule.group * schedule.rows * schedule.vectors
    if schedule.hold is Hold.WEIGHTS:
        return sums + schedule.group * max((len(p) for p in patterns), default=1) + 1
    width = max((p.kernel_shape[1] for p in patterns), default=1)
    columns = (schedule.vectors - 1) * geometry.stride[1] + (width - 1) * geometry.dilation[1] + 1
    return sums + columns + 1


def _kernel_cycles(
    geometry: Conv2dGeometry, pattern: Pattern, schedule: Conv2dSchedule, cpu: CpuModel
) -> float:
    """Returns the cycles of one kernel's products with one tile."""
    reads = _read_counts(geometry, pattern, schedule)
    outputs = schedule.rows * schedule.vectors
    products = len(pattern) * schedule.group * outputs
    weights = reads.weights if schedule.hold is Hold.INPUTS else len(pattern)
    loads = reads.vectors + weights * schedule.group + 1
    lines = reads.vectors * cpu.lanes * 4 / LINE_BYTES
    from_l2 = 0.0
    tile_bytes = LINE_BYTES * lines * geometry.in_channels
    if schedule.window is None and tile_bytes > cpu.l1_bytes * L1_SHARE:
        from_l2 = lines / LINES_PER_CYCLE + ROW_CYCLES * reads.rows
    bounds = (
        products / PRODUCTS_PER_CYCLE,
        loads / LOADS_PER_CYCLE,
        from_l2,
        len(pattern) * PRODUCT_LATENCY * min(1.0, 4.0 / (outputs * schedule.group)),
    )
    return KERNEL_OVERHEAD + max(bounds) + INTERFERENCE * (sum(bounds) - max(bounds))


class _ReadCounts(NamedTuple):
    """What a tile reads of one channel for one pattern.

    Attributes:
        vectors: input vectors.
        rows: rows that they lie in.
        weights: how often a weight is loaded where the inputs of a row are held.
    """

    vectors: int
    rows: int
    weights: int


def _read_counts(
    geometry: Conv2dGeometry, pattern: Pattern, schedule: Conv2dSchedule
) -> _ReadCounts:
    return _count_reads(
        pattern, schedule.rows, schedule.vectors, geometry.stride, geometry.dilation
    )


@lru_cache(maxsize=65536)
def _count_reads(
    pattern: Pattern,
    rows: int,
    vectors: int,
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> _ReadCounts:
    reads = tile_reads(pattern, rows, vectors, stride, dilation)
    weights = {(row, tap) for (row, _), uses in reads.items() for tap, _ in uses}
    return _ReadCounts(len(reads), len({row for row, _ in reads}), len(weights))
