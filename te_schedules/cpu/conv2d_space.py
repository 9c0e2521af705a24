"""The schedule space of a convolution, and the best of it by the static cost model."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from te_schedules.cpu.conv2d_cost import (
    KernelLists,
    channel_bytes,
    cycles,
    ranking_cpu,
    registers,
)
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.even_chunks import even_chunks
from te_schedules.cpu.odd_lines import LINE_BYTES
from te_schedules.cpu.tiling import Tiling
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["choose_schedule", "copies_may_pay", "finished", "fits", "fixed_schedule", "schedules"]

MAX_TILE = 16  # sums of one filter; with more, a sum measured no faster and more is wasted
SHARE_OF_FULL_LISTS = 0.5  # of the room in L2, for all channels in turn: what overflows is all lost
FIXED_TILE = (2, 4)  # rows and vectors: with the weights of 4 taps it fits 16 registers
BAND_UNIT = 16  # channels
L1S_OF_A_BAND = 2.5  # of copied inputs: much of them is in L1, and lists are not too short


def schedules(
    geometry: Conv2dGeometry,
    patterns: Sequence[Pattern],
    group: int,
    cpu: CpuModel,
    *,
    copied: bool = False,
) -> Iterator[Conv2dSchedule]:
    """Yields every schedule whose inner loop fits the registers.

    Args:
        copied: whether inputs are copied; then they are in bands where these fit a cache.
    """
    layout = geometry.out_layout
    for rows, vectors, hold in itertools.product(
        range(1, layout.vectors_y + 1), range(1, layout.vectors_x + 1), Hold
    ):
        if rows * vectors > MAX_TILE:
            continue
        schedule = Conv2dSchedule(
            rows=rows, vectors=vectors, group=group, hold=hold, copy_inputs=copied
        )
        if rows * vectors == 1 or registers(schedule, patterns, geometry) <= cpu.registers:
            banded = list(_banded(schedule, geometry, patterns, cpu))
            if not (copied and banded):
                yield schedule
            yield from banded


def _banded(
    schedule: Conv2dSchedule, geometry: Conv2dGeometry, patterns: Sequence[Pattern], cpu: CpuModel
) -> Iterator[Conv2dSchedule]:
    """Yields the schedule with bands of channels whose inputs fit the L2 or the L1 cache.

    The few kernels that a filter has in a band for L1, spread over several patterns, are
    lists of one or two, whose mispredicted ends cost what that cache saves.
    """
    rooms = [cpu.l1_room * L1S_OF_A_BAND if schedule.copy_inputs else cpu.l2_room]
    if len(patterns) == 1 and len(patterns[0]) == 1:
        rooms.append(cpu.l1_room)
    of_channel = max(1, channel_bytes(geometry, patterns, schedule, cpu))
    for room in rooms:
        most = int(room // of_channel) // BAND_UNIT
        if 0 < most * BAND_UNIT < geometry.in_channels:
            units = -(-geometry.in_channels // BAND_UNIT)
            bands = -(-units // most)  # as few as possible, and of equal length
            yield replace(schedule, band=-(-units // bands) * BAND_UNIT)


def fits(schedule: Conv2dSchedule, geometry: Conv2dGeometry) -> bool:
    """Whether the tile of a schedule made for another network is no larger than the plane."""
    layout = geometry.out_layout
    return schedule.rows <= layout.vectors_y and schedule.vectors <= layout.vectors_x


@lru_cache(maxsize=4096)  # networks repeat their layers
def choose_schedule(
    geometry: Conv2dGeometry,
    lists: KernelLists,
    group: int,
    cpu: CpuModel,
    *,
    planes: bool = False,
) -> tuple[Conv2dSchedule, float]:
    """Returns the schedule that the cost model likes best, and its cycles without copied inputs.

    Args:
        planes: whether a plane at a time is best computed whole, because its reader follows.
    """
    best = _best_without_copies(geometry, lists, group, ranking_cpu(geometry, cpu), planes)
    cost = cycles(geometry, lists, best, cpu)
    shares = group > 1 and geometry.window.taps != (1, 1)  # loads, which are few: measured slow
    if not (shares or planes) and copies_may_pay(geometry, lists, cpu):
        best = _copied_if_faster(best, geometry, lists, cpu)
    return finished(best, geometry, lists, cpu, planes=planes), cost


@lru_cache(maxsize=4096)
def _best_without_copies(
    geometry: Conv2dGeometry, lists: KernelLists, group: int, cpu: CpuModel, planes: bool
) -> Conv2dSchedule:
    space: Iterable[Conv2dSchedule] = schedules(geometry, lists.patterns, group, cpu)
    if planes:
        space = (replace(each, outer=Outer.PLANE) for each in space if each.band is None)
    alone = _reads_one_plane(lists)  # its output's short stretches are most of what it costs
    return min(space, key=lambda each: cycles(geometry, lists, each, cpu, beside_copies=alone))


def _copied_if_faster(
    best: Conv2dSchedule, geometry: Conv2dGeometry, lists: KernelLists, cpu: CpuModel
) -> Conv2dSchedule:
    """Returns the best schedule that copies inputs, or ``best``, which does not."""
    copied = schedules(geometry, lists.patterns, best.group, cpu, copied=True)
    return min([best, *copied], key=lambda s: cycles(geometry, lists, s, cpu, beside_copies=True))


def copies_may_pay(geometry: Conv2dGeometry, lists: KernelLists, cpu: CpuModel) -> bool:
    """Whether copied inputs are worth scoring, if there is a kernel to read them.

    Full lists read planes in their order, and vectors that are whole lines begin with a line.
    """
    partial = bool(lists.patterns) and not lists.are_full(geometry.in_channels)
    return partial and 4 * cpu.lanes < LINE_BYTES


def _reads_one_plane(lists: KernelLists) -> bool:
    """Whether a filter has one kernel, as in depthwise convolutions."""
    return 0 < sum(lists.counts) <= lists.groups


def fixed_schedule(
    geometry: Conv2dGeometry, lists: KernelLists, group: int, cpu: CpuModel
) -> tuple[Conv2dSchedule, float]:
    """Returns a schedule that suits most layers, and its cycles: what tuning starts from."""
    layout = geometry.out_layout
    rows, vectors = min(FIXED_TILE[0], layout.vectors_y), min(FIXED_TILE[1], layout.vectors_x)
    fixed = Conv2dSchedule(rows=rows, vectors=vectors, group=group)
    cost = cycles(geometry, lists, fixed, cpu)
    return finished(fixed, geometry, lists, cpu), cost


def finished(
    schedule: Conv2dSchedule,
    geometry: Conv2dGeometry,
    lists: KernelLists,
    cpu: CpuModel,
    *,
    planes: bool = False,
) -> Conv2dSchedule:
    """Chooses how much is computed at a time, and as few chunks as keep all cores busy."""
    outer, blocks = _outer(schedule, geometry, lists, cpu, planes=planes)
    most = min(lists.groups, 4 * cpu.num_cores)
    chunks = even_chunks(geometry.batch * blocks, most, cpu.num_cores)
    return replace(schedule, outer=outer, chunks=chunks)


def _outer(
    schedule: Conv2dSchedule,
    geometry: Conv2dGeometry,
    lists: KernelLists,
    cpu: CpuModel,
    *,
    planes: bool,
) -> tuple[Outer, int]:
    """Returns the most whose inputs stay in the cache, and how many of it an image has.

    A tile whose inputs stay in L1 is not left for more that stays in L2, but for a row where
    it is stored in short stretches.
    """
    rows = Tiling(geometry.out_layout.vectors_y, schedule.rows)
    columns = Tiling(geometry.out_layout.vectors_x, schedule.vectors)
    tiles = rows.count * columns.count
    of_tile = channel_bytes(geometry, lists.patterns, schedule, cpu) * geometry.in_channels
    fits_l1 = of_tile <= cpu.l1_room
    if schedule.band or schedule.copy_inputs:
        return Outer.TILE, tiles
    if _reads_one_plane(lists) and lists.groups >= 4 * cpu.num_cores:
        return Outer.PLANE, 1  # which is read again for no other filter
    if not planes and fits_l1 and not _is_short(schedule, geometry, cpu):
        return Outer.TILE, tiles
    layout, halo = geometry.in_layout, geometry.in_layout.halo
    row_bytes = 4 * layout.lanes * layout.row_vectors * geometry.in_channels
    read_rows = schedule.rows * geometry.stride[0] + halo.top + halo.bottom
    full = lists.are_full(geometry.in_channels) and not planes
    room = cpu.l2_room * (SHARE_OF_FULL_LISTS if full else 1)
    if row_bytes * layout.rows <= room and (planes or not fits_l1):
        return Outer.PLANE, 1
    if row_bytes * read_rows <= room:
        return Outer.ROW, rows.count
    return Outer.TILE, tiles


def _is_short(schedule: Conv2dSchedule, geometry: Conv2dGeometry, cpu: CpuModel) -> bool:
    """Whether a tile has one row, or is one of several in an output that overflows L2."""
    out_bytes = 4 * geometry.out_layout.plane_values * geometry.out_channels
    return schedule.rows == 1 or out_bytes > cpu.l2_bytes
