"""The schedule space of a convolution, and the best of it by the static cost model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from te_schedules.conv2d import Conv2dGeometry
from te_schedules.conv2d_cost import KernelLists, cycles, registers
from te_schedules.conv2d_schedule import Conv2dSchedule, Hold
from te_schedules.tiling import Tiling
from tvm_patdnn.cpu_model import CpuModel
from tvm_patdnn.patterns import Pattern

__all__ = ["choose_schedule", "schedules"]

MAX_TILE = 28  # sums of one filter; more never fit beside a weight and an input
IDLE_SHARE = 0.05  # threads may wait this long for the last one before filters are cut


def schedules(
    geometry: Conv2dGeometry, patterns: Sequence[Pattern], group: int, cpu: CpuModel
) -> Iterator[Conv2dSchedule]:
    """Yields every schedule whose inner loop fits the registers."""
    layout = geometry.out_layout
    for rows, vectors, hold in itertools.product(
        range(1, layout.steps_y + 1), range(1, layout.steps_x + 1), Hold
    ):
        if rows * vectors > MAX_TILE or (hold is Hold.INPUTS and rows > 1):
            continue  # LLVM would keep the weights of all rows in registers, and spill
        schedule = Conv2dSchedule(rows=rows, vectors=vectors, group=group, hold=hold)
        if rows * vectors == 1 or registers(schedule, patterns, geometry) <= cpu.registers:
            yield schedule


def choose_schedule(
    geometry: Conv2dGeometry, lists: KernelLists, group: int, cpu: CpuModel
) -> tuple[Conv2dSchedule, float]:
    """Returns the schedule that the cost model likes best, and its cycles."""
    space = schedules(geometry, lists.patterns, group, cpu)
    best, cost = min(
        ((schedule, cycles(geometry, lists, schedule, cpu)) for schedule in space),
        key=lambda scored: scored[1],
    )
    return _with_chunks(best, geometry, lists.groups, cpu.num_cores), cost


def _with_chunks(
    schedule: Conv2dSchedule, geometry: Conv2dGeometry, groups: int, cores: int
) -> Conv2dSchedule:
    """Cuts the filters into as few chunks as keep all cores busy."""
    tiles = (
        geometry.batch
        * Tiling(geometry.out_layout.steps_y, schedule.rows).count
        * Tiling(geometry.out_layout.steps_x, schedule.vectors).count
    )
    for chunks in range(1, min(groups, 4 * cores) + 1):
        tasks = tiles * chunks
        if -(-tasks // cores) * cores <= tasks * (1 + IDLE_SHARE):
            break
    return replace(schedule, chunks=chunks)
