"""The schedule space of a convolution on a GPU, and the best of it by the static cost model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from te_schedules.gpu.conv2d_cost import Estimate, GpuLists, estimate, registers, shared_bytes
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from tvm_patdnn.machine.gpu_model import GpuModel

__all__ = ["best_schedules", "schedules"]

ROWS = (1, 2, 4, 5, 7, 8)
WARPS = (2, 4, 8, 16)
GROUPS = (1, 2, 4)  # of a warp
WINDOWS = (4, 8, 16, 32)
SPLITS = (1, 2, 4, 8)
MOST_SUMS = 64  # of a lane
USED_SHARE = 0.85  # of lanes that compute what is asked for, against the best shape


def schedules(geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel) -> Iterator[GpuSchedule]:
    """Yields every schedule that keeps the GPU's limits; at least the smallest that there is."""
    found = False
    for schedule in _all(geometry, lists, gpu):
        if _fits(schedule, geometry, lists, gpu):
            found = True
            yield schedule
    if not found:
        yield GpuSchedule(lanes=gpu.lanes, lanes_x=min(8, gpu.lanes), rows=1, warps=1, window=1)


def _all(geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel) -> Iterator[GpuSchedule]:
    warps = [n for n in WARPS if n * gpu.lanes <= gpu.block_threads] or [1]
    for (lanes_x, rows, columns), groups in itertools.product(_shapes(geometry, gpu), GROUPS):
        if groups * lists.group * rows * columns > MOST_SUMS:
            continue
        for of_block, window, splits in itertools.product(warps, _windows(geometry), SPLITS):
            yield GpuSchedule(
                lanes=gpu.lanes,
                lanes_x=lanes_x,
                rows=rows,
                columns=columns,
                warps=of_block,
                groups=groups,
                window=window,
                splits=splits,
            )


def best_schedules(
    geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel, count: int = 1
) -> list[tuple[GpuSchedule, Estimate]]:
    """Returns the schedules that the cost model likes best, the best first."""
    scored = [
        (each, estimate(geometry, lists, each, gpu)) for each in schedules(geometry, lists, gpu)
    ]
    return sorted(scored, key=lambda found: found[1].micros)[:count]


def _fits(schedule: GpuSchedule, geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel) -> bool:
    if schedule.block_groups >= 2 * lists.groups and schedule.block_groups > 2:
        return False
    if schedule.splits > 1 and not _worth_splitting(schedule, geometry, lists, gpu):
        return False
    most = min(gpu.thread_registers, gpu.registers // schedule.threads)
    if registers(lists, geometry.window, schedule) > most:
        return False
    return shared_bytes(geometry, lists, schedule) <= gpu.block_shared_bytes


def _worth_splitting(
    schedule: GpuSchedule, geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel
) -> bool:
    """Whether there are windows for every split, and whole tiles would leave the GPU idle."""
    if schedule.splits * schedule.window > geometry.in_channels:
        return False
    down, across = schedule.tiles(geometry.out_size)
    blocks = geometry.batch * down * across * -(-lists.groups // schedule.block_groups)
    return blocks < 2 * gpu.multiprocessors


def _windows(geometry: GpuGeometry) -> list[int]:
    channels = geometry.in_channels
    return sorted({min(n, channels) for n in WINDOWS})


def _shapes(geometry: GpuGeometry, gpu: GpuModel) -> list[tuple[int, int, int]]:
    """Returns the tiles (lanes side by side, rows, columns) that waste few lanes."""
    height, width = geometry.out_size
    found = {}
    for columns in (1, 2) if geometry.window.stride[1] == 1 else (1,):
        lanes = -(-width // columns)
        wide = {-(-lanes // n) for n in range(1, lanes + 1)} | {8, 16, 32}
        for lanes_x, rows in itertools.product(wide, ROWS):
            if lanes_x > gpu.lanes or lanes_x < min(4, lanes):
                continue
            strips = gpu.lanes // lanes_x
            down, across = -(-height // (strips * rows)), -(-width // (lanes_x * columns))
            covered = down * across * gpu.lanes * rows * columns
            found[lanes_x, rows, columns] = height * width / covered
    best = max(found.values())
    return [shape for shape, used in found.items() if used >= USED_SHARE * best]
