"""A static model of a convolution kernel's time, in cycles of one core.

It weighs what bounds the inner loop: products, vector loads, lines from the caches, the
latency of a sum, and mispredicted ends of short loops. It ranks schedules and kernels;
its cycles are not a prediction of latency.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold
from te_schedules.cpu.odd_lines import LINE_BYTES
from te_schedules.cpu.tile_reads import input_batches, tile_reads
from te_schedules.cpu.tiling import Places, Tiling, tile_parts
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["KernelLists", "channel_bytes", "cycles", "loads_per_cycle", "ranking_cpu", "registers"]

PRODUCTS_PER_CYCLE = 2.0
LOADS_PER_CYCLE = 1.6  # measured with 64-byte loads that hit L1 on Intel
LOAD_UNITS = 2.0
L2_LINES_PER_CYCLE = 0.55  # 64-byte lines, in blocks in no order
L2_LINES_OF_PARTS = 0.36  # the same where a vector is part of a line
L3_LINES_PER_CYCLE = 0.35
ROW_CYCLES = 6.0  # where a block from L2 or beyond goes on in another row: a new page, no prefetch
STREAMED_ROW_CYCLES = 2.0  # the same on a CPU that fetches it early
PRODUCT_LATENCY = 4.0
KERNEL_OVERHEAD = 2.0  # index, address and branch, where they are not hidden
RUN_OVERHEAD = 10.0  # the end of a list of kernels, mispredicted about every other time
INTERFERENCE = 0.2  # what does not bound a loop still costs some of its time
PARTIAL_CYCLES = 5.0  # load and store of a sum between two bands of channels
CONFLICT_CYCLES = 2.0  # of a kernel that reads short rows of planes that nearly fill L1
COPY_CYCLES = 3.0  # of an input vector that is copied: a load, a store, its share of a line
STORE_CYCLES = 3.0  # epilogue and store of an output vector, with its share of the halo
STRETCH_CYCLES = 16.0  # of a row of a tile that is stored, where it ends within lines
APART_EXPONENT = 0.1  # of the length of a row, by which a window's rows lie apart
APART_VECTORS = 16  # of a row that costs what the rest of the model says


@dataclass(frozen=True, kw_only=True)
class KernelLists:
    """How many kernels a layer has of each pattern, over all groups of filters."""

    patterns: tuple[Pattern, ...]
    counts: tuple[int, ...]
    groups: int

    def are_full(self, channels: int) -> bool:
        """Whether every group has a kernel of each of ``channels``."""
        return sum(self.counts) == self.groups * channels


def cycles(
    geometry: Conv2dGeometry,
    lists: KernelLists,
    schedule: Conv2dSchedule,
    cpu: CpuModel,
    *,
    beside_copies: bool = False,
) -> float:
    """Returns the cycles of the whole layer, divided over no threads.

    Args:
        beside_copies: score what the schedule does beyond L1 as that of copied inputs is: by what
            was measured of vectors that are part of a line.
    """
    part = _part_of_line(cpu) if beside_copies or schedule.copy_inputs else 1.0
    rows = Tiling(geometry.out_layout.vectors_y, schedule.rows)
    columns = Tiling(geometry.out_layout.vectors_x, schedule.vectors)
    of_image = sum(
        each.tiles * _tile_cycles(geometry, lists, schedule, cpu, each.places, part)
        for each in tile_parts(rows, columns)
    )
    return geometry.batch * of_image * _rows_apart(geometry, lists, schedule, cpu, part)


def _rows_apart(
    geometry: Conv2dGeometry,
    lists: KernelLists,
    schedule: Conv2dSchedule,
    cpu: CpuModel,
    part: float,
) -> float:
    """Returns what it costs, in times, that the rows of a window lie apart.

    So it was measured of pruned layers in splits of 4 to 122 vectors a row, everything else being
    equal; where inputs leave most of L1 free it costs nothing.
    """
    full = lists.are_full(geometry.in_channels)
    if part == 1.0 or schedule.copy_inputs or geometry.window.taps[0] == 1 or full:
        return 1.0
    of_tile = channel_bytes(geometry, lists.patterns, schedule, cpu) * geometry.in_channels
    if of_tile <= cpu.l1_room / 4:
        return 1.0
    return (geometry.in_layout.row_vectors / APART_VECTORS) ** APART_EXPONENT


def _tile_cycles(
    geometry: Conv2dGeometry,
    lists: KernelLists,
    schedule: Conv2dSchedule,
    cpu: CpuModel,
    places: Places,
    part: float,
) -> float:
    """Returns the cycles of one tile, of which ``places`` are computed.

    Args:
        part: of a line that a vector is taken for.
    """
    sums = schedule.group * len(places)
    total = lists.groups * sums * STORE_CYCLES * cpu.passes
    if part < 1:
        total += lists.groups * schedule.group * len({row for row, _ in places}) * STRETCH_CYCLES
    channels = geometry.in_channels
    band = schedule.band or channels
    bands = -(-channels // band)
    of_channel = channel_bytes(geometry, lists.patterns, schedule, cpu)
    if schedule.copy_inputs:
        total += schedule.chunks * COPY_CYCLES * channels * of_channel / (4 * cpu.lanes)
    elif bands > 1:
        of_all = of_channel * channels
        total += schedule.chunks * of_all / LINE_BYTES / _lines_per_cycle(of_all, cpu, part)
    if bands > 1:
        total += lists.groups * sums * bands * PARTIAL_CYCLES * part
    held = _held_bytes(geometry, schedule, of_channel * band)
    misses = _misses(held, lists.patterns, schedule, cpu, part)
    line_cycles = misses / _lines_per_cycle(held, cpu, part)
    row_cycles = STREAMED_ROW_CYCLES if cpu.streams else ROW_CYCLES
    if _has_conflicts(held, schedule, cpu, part):
        total += sum(lists.counts) * CONFLICT_CYCLES
    for pattern, count in zip(lists.patterns, lists.counts, strict=True):
        runs = min(count, lists.groups * bands)
        total += runs * RUN_OVERHEAD
        beyond_l1 = _Beyond(lines=line_cycles, rows=misses * row_cycles * part)
        total += count * _kernel_cycles(geometry, pattern, schedule, cpu, beyond_l1, places)
    return total


def _held_bytes(geometry: Conv2dGeometry, schedule: Conv2dSchedule, of_tile: int) -> int:
    """Returns how much is read before any of it is read again, for other filters.

    Args:
        of_tile: bytes that one tile reads of all channels of a band.
    """
    if not schedule.whole_planes:
        return of_tile
    return 4 * geometry.in_layout.plane_values * geometry.in_channels


def channel_bytes(
    geometry: Conv2dGeometry, patterns: Sequence[Pattern], schedule: Conv2dSchedule, cpu: CpuModel
) -> int:
    """Returns how much of one input channel the kernels read for one tile."""
    tile, window = (schedule.rows, schedule.vectors), geometry.window
    return 4 * cpu.lanes * _channel_vectors(tuple(patterns), tile, window.stride, window.dilation)


def _part_of_line(cpu: CpuModel) -> float:
    """Returns how much of a line of the caches a vector is."""
    return min(1.0, 4 * cpu.lanes / LINE_BYTES)


@lru_cache(maxsize=65536)
def _channel_vectors(
    patterns: tuple[Pattern, ...],
    tile: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> int:
    """Returns how many vectors of one input channel the kernels of all patterns read."""
    reads = (_tile_reads(pattern, _places(*tile), stride, dilation) for pattern in patterns)
    return len(frozenset[tuple[int, int]]().union(*(each.vectors for each in reads)))


def ranking_cpu(geometry: Conv2dGeometry, cpu: CpuModel) -> CpuModel:
    """Returns by which numbers the ways to compute a layer are ranked.

    Where L2 is not known to stream, these are always the simpler ones, which were measured so.
    """
    return cpu if cpu.streams and geometry.window.taps != (1, 1) else cpu.as_ranked


def registers(
    schedule: Conv2dSchedule, patterns: Sequence[Pattern], geometry: Conv2dGeometry
) -> int:
    """Returns how many vector registers the inner loop needs."""
    sums = schedule.group * schedule.rows * schedule.vectors
    if schedule.hold is Hold.WEIGHTS:
        return sums + schedule.group * max((len(p) for p in patterns), default=1) + 1
    held = max((_reads(geometry, p, schedule).held for p in patterns), default=1)
    return sums + held + 1


class _Beyond(NamedTuple):
    """Cycles that inputs beyond L1 cost: for each line, and for each row that they lie in."""

    lines: float
    rows: float


def _misses(
    held: float,
    patterns: Sequence[Pattern],
    schedule: Conv2dSchedule,
    cpu: CpuModel,
    part: float,
) -> float:
    """Returns the share of inputs that are not in L1.

    Of what does not fit, a part is there: so it was measured of copied inputs, of vectors of
    half a line that several taps read, and of whole lines on a Zen 4 and a Xeon. Of others
    nothing is.
    """
    read_once = part == 1.0 or all(len(pattern) == 1 for pattern in patterns)
    if read_once and not (cpu.l1_parts or schedule.copy_inputs):
        return float(held > cpu.l1_room)
    return max(0.0, 1 - cpu.l1_room / max(held, 1))


def _has_conflicts(held: float, schedule: Conv2dSchedule, cpu: CpuModel, part: float) -> bool:
    """Whether inputs that fit L1 miss now and then: rows that end within lines share its sets."""
    short = part < 1.0 and not schedule.copy_inputs
    return short and cpu.l1_room / 2 < held <= cpu.l1_room


def _lines_per_cycle(held: float, cpu: CpuModel, part: float) -> float:
    """Returns how fast inputs come that are read again and again, by how many they are."""
    if held <= cpu.l1_room:
        return math.inf  # loads alone bound it
    if held > cpu.l2_room:
        return L3_LINES_PER_CYCLE
    return L2_LINES_OF_PARTS if part < 1 else L2_LINES_PER_CYCLE


def loads_per_cycle(measured: float, cpu: CpuModel) -> float:
    """Returns how many vectors are loaded in a cycle.

    Args:
        measured: where the units are as wide as a vector.
    """
    return min(measured, LOAD_UNITS / cpu.passes)


def _kernel_cycles(
    geometry: Conv2dGeometry,
    pattern: Pattern,
    schedule: Conv2dSchedule,
    cpu: CpuModel,
    beyond: _Beyond,
    places: Places,
) -> float:
    """Returns the cycles of one kernel's products with one tile."""
    reads = _tile_reads(pattern, places, geometry.stride, geometry.dilation)
    outputs = len(places)
    products = len(pattern) * schedule.group * outputs
    loads = len(reads.vectors) + len(pattern) * schedule.group + 1
    lines = len(reads.vectors) * cpu.lanes * 4 / LINE_BYTES
    stretches = 1 if schedule.copy_inputs else reads.rows
    bounds = (
        products * cpu.passes / PRODUCTS_PER_CYCLE,
        loads / loads_per_cycle(LOADS_PER_CYCLE, cpu),
        lines * beyond.lines + stretches * beyond.rows,
        len(pattern) * PRODUCT_LATENCY * min(1.0, 4.0 / (outputs * schedule.group)),
    )
    return KERNEL_OVERHEAD + max(bounds) + INTERFERENCE * (sum(bounds) - max(bounds))


class _Reads(NamedTuple):
    """What a tile reads of one channel for one pattern.

    Attributes:
        vectors: input vectors (row, column), from the tile's first.
        rows: rows that they lie in.
        held: how many of the vectors Hold.INPUTS keeps at a time.
    """

    vectors: frozenset[tuple[int, int]]
    rows: int
    held: int


def _reads(geometry: Conv2dGeometry, pattern: Pattern, schedule: Conv2dSchedule) -> _Reads:
    places = _places(schedule.rows, schedule.vectors)
    return _tile_reads(pattern, places, geometry.stride, geometry.dilation)


@cache
def _places(rows: int, vectors: int) -> Places:
    return tuple(itertools.product(range(rows), range(vectors)))


@lru_cache(maxsize=65536)
def _tile_reads(
    pattern: Pattern,
    places: Places,
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> _Reads:
    reads = tile_reads(pattern, places, stride, dilation)
    held = max(map(len, input_batches(reads)), default=0)
    return _Reads(frozenset(reads), len({row for row, _ in reads}), held)
