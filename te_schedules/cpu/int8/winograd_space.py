"""The kernels by transforms of a layer of bytes, and the best of them by the static cost model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from te_schedules.cpu.int8.instruction_sets import instructions_for
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.winograd_cost import tile_cost
from te_schedules.cpu.int8.winograd_kernel import TileConv2d, takes_transforms
from te_schedules.cpu.int8.winograd_schedule import TileSchedule
from te_schedules.cpu.int8.winograd_transform import OUTPUTS
from te_schedules.cpu.int8.winograd_words import words_for
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["choose_tiles", "tile_kernel", "tile_kernels"]

GROUPS = (2, 4, 6, 8, 12)
TOGETHER = (1, 2, 3, 4)
MOST_VECTORS = 16  # of tiles that are transformed at a time: more use a weight often enough


def tile_kernels(layer: Int8Layer, cpu: CpuModel) -> Iterator[TileConv2d]:
    """Yields every kernel whose products fit the registers; none where transforms do not suit."""
    if not takes_transforms(layer):
        return
    for height, width in itertools.product(OUTPUTS, OUTPUTS):
        down = -(-layer.out_shape[2] // height)
        for rows in sorted({-(-down // blocks) for blocks in range(1, down + 1)}):
            tile = TileSchedule(height=height, width=width, rows=rows, group=1, together=1)
            kernel = _kernel(tile, layer, cpu)
            if not kernel.is_exact or (rows > 1 and kernel.vectors > MOST_VECTORS):
                break
            yield from _scheduled(kernel, cpu)


def _scheduled(kernel: TileConv2d, cpu: CpuModel) -> Iterator[TileConv2d]:
    """Yields the ways to multiply the tiles of a block, and to share out filters."""
    for group, together in itertools.product(GROUPS, TOGETHER):
        if group > kernel.layer.out_shape[1] or together > kernel.vectors:
            continue
        made = replace(kernel, schedule=replace(kernel.schedule, group=group, together=together))
        if made.fits:
            for chunks in sorted({1, min(cpu.num_cores, made.groups)}):
                yield replace(made, schedule=replace(made.schedule, chunks=chunks))


def choose_tiles(layer: Int8Layer, cpu: CpuModel) -> TileConv2d | None:
    """Returns the kernel that should be the fastest; None if none suits."""
    return min(tile_kernels(layer, cpu), key=lambda kernel: tile_cost(kernel, cpu), default=None)


def tile_kernel(schedule: TileSchedule, layer: Int8Layer, cpu: CpuModel) -> TileConv2d | None:
    """Returns the kernel of a schedule; None if the layer has none like that."""
    if not takes_transforms(layer):
        return None
    kernel = _kernel(schedule, layer, cpu)
    sizes = schedule.height in OUTPUTS and schedule.width in OUTPUTS
    suits = (
        sizes
        and schedule.group <= layer.out_shape[1]
        and schedule.chunks <= kernel.groups
        and schedule.rows <= -(-layer.out_shape[2] // schedule.height)
        and schedule.together <= kernel.vectors
        and kernel.fits
        and kernel.is_exact
    )
    return kernel if suits else None


def _kernel(schedule: TileSchedule, layer: Int8Layer, cpu: CpuModel) -> TileConv2d:
    return TileConv2d(
        layer=layer, instructions=instructions_for(cpu), words=words_for(cpu), schedule=schedule
    )
