"""What tuning chooses from: every schedule that suits the CPU, wider than the cost model's choice.

The cost model decides what is computed at a time and how work is cut by rules; measuring tries all.
Every point gives a right kernel.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from te_schedules.cpu.conv2d_cost import KernelLists
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Outer
from te_schedules.cpu.conv2d_space import BAND_UNIT, copies_may_pay, schedules
from te_schedules.cpu.tiling import Tiling
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["plainest", "tasks_of", "tuning_schedules"]

_CHUNKS_PER_CORE = (0.5, 1, 2, 4)  # of the filters; more of them balance better and reuse less
_CUTS = (2, 4, 8)  # numbers of bands


def tuning_schedules(
    geometry: Conv2dGeometry, lists: KernelLists, group: int, cpu: CpuModel
) -> Iterator[Conv2dSchedule]:
    """Yields the schedules of one way to store a layer, each once.

    The inner loop fits the registers, bands are whole units of channels, and all cores have work
    where the layer has enough of it.
    """
    most = max(1, lists.groups)
    chunks = {min(most, max(1, round(share * cpu.num_cores))) for share in _CHUNKS_PER_CORE}
    tiles = [s for s in schedules(geometry, lists.patterns, group, cpu) if s.band is None]
    copies = (False, True) if copies_may_pay(geometry, lists, cpu) else (False,)
    for tile, outer, copied in itertools.product(tiles, Outer, copies):
        if copied and outer is not Outer.TILE:
            continue
        for band in _bands(geometry, outer):
            shaped = replace(tile, outer=outer, band=band, copy_inputs=copied)
            for count in sorted(chunks):
                schedule = replace(shaped, chunks=count)
                if tasks_of(schedule, geometry) >= cpu.num_cores or count == max(chunks):
                    yield schedule


def plainest(schedule: Conv2dSchedule, geometry: Conv2dGeometry) -> Conv2dSchedule:
    """Returns the schedule with the same code that computes the least at a time.

    A plane with one row of tiles is that row, and a row with one tile is that tile.
    """
    outer = schedule.outer
    if outer is Outer.PLANE and schedule.rows >= geometry.out_layout.vectors_y:
        outer = Outer.ROW
    if outer is Outer.ROW and schedule.vectors >= geometry.out_layout.vectors_x:
        outer = Outer.TILE
    return replace(schedule, outer=outer)


def tasks_of(schedule: Conv2dSchedule, geometry: Conv2dGeometry) -> int:
    """Returns into how many parts a schedule cuts the work."""
    rows = Tiling(geometry.out_layout.vectors_y, schedule.rows).count
    columns = Tiling(geometry.out_layout.vectors_x, schedule.vectors).count
    blocks = {Outer.PLANE: 1, Outer.ROW: rows, Outer.TILE: rows * columns}[schedule.outer]
    return geometry.batch * blocks * schedule.chunks


def _bands(geometry: Conv2dGeometry, outer: Outer) -> list[int | None]:
    if outer is not Outer.TILE:
        return [None]
    units = -(-geometry.in_channels // BAND_UNIT)
    bands = {-(-units // cuts) * BAND_UNIT for cuts in _CUTS if cuts <= units}
    return [None, *sorted(band for band in bands if band < geometry.in_channels)]
