"""The schedule space of a convolution on a GPU, and the best of it by the static cost model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from te_schedules.gpu.conv2d_cost import (
    Estimate,
    GpuLists,
    busy_blocks,
    estimate,
    registers,
    shared_bytes,
)
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from tvm_patdnn.machine.gpu_model import GpuModel

__all__ = ["best_schedules", "fits", "schedules"]

ROWS = (1, 2, 4, 5, 7, 8)
WARPS = (1, 2, 4, 8, 16)
FEWEST_WARPS = 4  # of a block, where there are as many groups of filters: they wait for each other
GROUPS = (1, 2, 4)  # of a warp
WINDOWS = (32, 16, 8, 4)
MOST_WINDOWS = 2  # that are tried, the largest that fit: fewer meetings of the threads
SPLITS = (1, 2, 4, 8)
MOST_SUMS = 64  # of a lane
MOST_SHAPES = 20  # of a tile that are tried, those with the fewest idle lanes first


def schedules(geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel) -> Iterator[GpuSchedule]:
    """Yields schedules that keep the GPU's limits; at least the smallest that there is."""
    found = False
    for schedule in _unsplit(geometry, lists, gpu):
        for splits in _splits(schedule, geometry, lists, gpu):
            found = True
            split = replace(schedule, splits=splits)
            yield replace(split, resident=busy_blocks(geometry, lists, split, gpu))
    if not found:
        yield GpuSchedule(
            lanes=gpu.lanes,
            lanes_x=min(8, gpu.lanes),
            rows=1,
            warps=1,
            window=1,
            staged=gpu.shares_memory,
        )


def best_schedules(
    geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel, count: int = 1
) -> list[tuple[GpuSchedule, Estimate]]:
    """Returns the schedules that the cost model likes best, the best first."""
    space = schedules(geometry, lists, gpu)
    scored = [(each, estimate(geometry, lists, each, gpu)) for each in space]
    return sorted(scored, key=lambda found: found[1].micros)[:count]


def _unsplit(geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel) -> Iterator[GpuSchedule]:
    warps = [n for n in WARPS if n * gpu.lanes <= gpu.block_threads and _has_work(n, lists)] or [1]
    shapes = _shapes(geometry, lists, gpu)
    for (lanes_x, rows, columns), of_block, groups in itertools.product(shapes, warps, GROUPS):
        sums = groups * lists.group * rows * columns
        if sums > MOST_SUMS or of_block * groups >= max(2 * lists.groups, 3):
            continue
        fitting = (
            schedule
            for window in _windows(geometry, gpu)
            if _has_room(
                schedule := GpuSchedule(
                    lanes=gpu.lanes,
                    lanes_x=lanes_x,
                    rows=rows,
                    columns=columns,
                    warps=of_block,
                    groups=groups,
                    window=window,
                    staged=gpu.shares_memory,
                ),
                geometry,
                lists,
                gpu,
            )
        )
        yield from itertools.islice(fitting, MOST_WINDOWS)


def _windows(geometry: GpuGeometry, gpu: GpuModel) -> list[int]:
    """Returns how many channels may stand together: where nothing is staged all, or a part."""
    channels = geometry.in_channels
    if not gpu.shares_memory:
        return list(dict.fromkeys([channels, -(-channels // max(SPLITS))]))
    return list(dict.fromkeys(min(n, channels) for n in WINDOWS))


def _has_work(warps: int, lists: GpuLists) -> bool:
    """Returns whether as many warps are worth trying: not fewer than can have work, up to 4."""
    return warps >= min(FEWEST_WARPS, lists.groups)


def fits(schedule: GpuSchedule, geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel) -> bool:
    """Returns whether a schedule, such as one that was recorded, is one for this layer and GPU."""
    return (
        schedule.lanes == gpu.lanes >= schedule.lanes_x
        and schedule.threads <= gpu.block_threads
        and schedule.window <= geometry.in_channels
        and (schedule.splits == 1 or schedule.splits * schedule.window <= geometry.in_channels)
        and (schedule.columns == 1 or geometry.window.stride[1] == 1)
        and _has_room(schedule, geometry, lists, gpu)
    )


def _has_room(schedule: GpuSchedule, geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel) -> bool:
    most = min(gpu.thread_registers, gpu.registers // schedule.threads)
    if registers(lists, geometry.window, schedule, gpu) > most:
        return False
    return shared_bytes(geometry, lists, schedule) <= gpu.block_shared_bytes


def _splits(
    schedule: GpuSchedule, geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel
) -> list[int]:
    """Returns into how many parts channels may be divided: more where the GPU would idle."""
    down, across = schedule.tiles(geometry.out_size)
    blocks = geometry.batch * down * across * -(-lists.groups // schedule.block_groups)
    if blocks >= 2 * gpu.multiprocessors:
        return [1]
    return [n for n in SPLITS if n == 1 or n * schedule.window <= geometry.in_channels]


def _shapes(geometry: GpuGeometry, lists: GpuLists, gpu: GpuModel) -> list[tuple[int, int, int]]:
    """Returns the tiles (lanes side by side, rows, columns) that waste the fewest lanes."""
    height, width = geometry.out_size
    found = {}
    for columns in (1, 2) if geometry.window.stride[1] == 1 else (1,):
        lanes = -(-width // columns)
        wide = {-(-lanes // n) for n in range(1, lanes + 1)} | {8, 16, 32}
        for lanes_x, rows in itertools.product(sorted(wide), ROWS):
            if not min(4, lanes) <= lanes_x <= gpu.lanes or rows > height:
                continue
            if lists.group * rows * columns > MOST_SUMS:
                continue
            strips = gpu.lanes // lanes_x
            down, across = -(-height // (strips * rows)), -(-width // (lanes_x * columns))
            found[lanes_x, rows, columns] = down * across * gpu.lanes * rows * columns
    # Of tiles that waste as much, larger ones share more of what they load.
    order = sorted(found, key=lambda each: (found[each], -each[1] * each[2], -each[0]))
    return order[:MOST_SHAPES]
