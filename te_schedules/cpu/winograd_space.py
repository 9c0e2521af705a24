"""The schedules of Winograd's convolution, and the best of them by the static cost model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from te_schedules.cpu.conv2d_cost import ranking_cpu
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.even_chunks import even_chunks
from te_schedules.cpu.tiling import Tiling
from te_schedules.cpu.winograd_cost import winograd_cycles, winograd_registers
from te_schedules.cpu.winograd_phases import most_taps
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from te_schedules.cpu.winograd_transform import has_points
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["choose_winograd", "fits_winograd", "winograd_schedules"]

OUTPUTS = (1, 2, 3, 4)  # of a tile in an axis; with more, rounding costs another digit
GROUPS = (2, 3, 4, 6, 8, 12)
TOGETHER = (1, 2, 3, 4, 6)
MOST_TILES = 16  # transformed at a time: more use a weight no more often than hides its load
MOST_PACKED = 32  # vectors that are only packed at a time: the longer, the longer they are stored


def winograd_schedules(geometry: Conv2dGeometry, cpu: CpuModel) -> Iterator[WinogradSchedule]:
    """Yields every schedule whose products fit the registers; none for windows of other kinds."""
    layout = geometry.out_layout
    for rows, vectors in _tiles(geometry):
        if rows > layout.vectors_y or vectors > layout.vectors_x:
            continue
        count = Tiling(layout.vectors_y, rows).count * Tiling(layout.vectors_x, vectors).count
        for group, together in itertools.product(GROUPS, TOGETHER):
            # Every load of a weight is used once: measured slow.
            lone = together == 1 and (count > 1 or (rows, vectors) == (1, 1))
            if group <= geometry.out_channels and together <= count and not lone:
                tile = WinogradSchedule(
                    rows=rows, vectors=vectors, group=group, together=together, units=1
                )
                if winograd_registers(tile) <= cpu.registers:
                    yield from _shared(tile, geometry, -(-count // together), cpu)


def _tiles(geometry: Conv2dGeometry) -> list[tuple[int, int]]:
    """Returns the tiles (rows, vectors) that one transform may give."""
    window = geometry.window
    if window.taps == (1, 1):
        return [(1, 1)]
    if window.dilation != (1, 1):
        return []
    rows, columns = (_outputs(taps) for taps in most_taps(window.taps, window.stride))
    return [tile for tile in itertools.product(rows, columns) if tile != (1, 1)]


def _outputs(taps: int) -> list[int]:
    """Returns how many outputs of an axis one transform may give."""
    return [m for m in OUTPUTS if m == 1 or (taps > 1 and has_points(m, taps))]


def _shared(
    tile: WinogradSchedule, geometry: Conv2dGeometry, count: int, cpu: CpuModel
) -> Iterator[WinogradSchedule]:
    """Yields the ways to share out ``count`` units."""
    most = MOST_TILES if tile.transforms else MOST_PACKED
    for units in range(1, min(count, max(1, most // tile.together)) + 1):
        tasks = geometry.batch * -(-count // units)
        ranges = min(-(-geometry.out_channels // tile.group), 2 * cpu.num_cores)
        yield replace(tile, units=units, chunks=even_chunks(tasks, ranges, cpu.num_cores))


def fits_winograd(schedule: WinogradSchedule, geometry: Conv2dGeometry) -> bool:
    """Whether a schedule made for another network suits these planes and filters."""
    tile, layout = (schedule.rows, schedule.vectors), geometry.out_layout
    if tile not in _tiles(geometry) or tile[0] > layout.vectors_y or tile[1] > layout.vectors_x:
        return False
    count = Tiling(layout.vectors_y, tile[0]).count * Tiling(layout.vectors_x, tile[1]).count
    groups = -(-geometry.out_channels // schedule.group)
    return (
        schedule.together <= count
        and schedule.units <= -(-count // schedule.together)
        and schedule.group <= geometry.out_channels
        and schedule.chunks <= groups
    )


@lru_cache(maxsize=4096)  # networks repeat their layers
def choose_winograd(
    geometry: Conv2dGeometry, cpu: CpuModel
) -> tuple[WinogradSchedule, float] | None:
    """Returns the schedule that the cost model likes best, and its cycles; None if none fits."""
    found, ranked = list(winograd_schedules(geometry, cpu)), ranking_cpu(geometry, cpu)
    if not found:
        return None
    best = min(found, key=lambda each: winograd_cycles(geometry, each, ranked))
    return best, winograd_cycles(geometry, best, cpu)
