"""The loops of a convolution kernel, around the products of a tile.

They are the paper's: filter, pattern, kernel (PatDNN, section 5.4). The sums of a tile stay
in registers for a whole filter.
"""

from __future__ import annotations

from collections.abc import Iterator

from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_bands import (
    Turn,
    band_of,
    begin_sums,
    end_sums,
    prefetch_band,
    prefetch_outputs,
)
from te_schedules.cpu.conv2d_binding import Conv2dBinding
from te_schedules.cpu.conv2d_inputs import copy_inputs
from te_schedules.cpu.conv2d_lists import ListedKernel
from te_schedules.cpu.conv2d_products import add_kernel
from te_schedules.cpu.conv2d_schedule import Outer
from te_schedules.cpu.conv2d_tile import Tile
from te_schedules.cpu.tile_store import TileStore
from te_schedules.cpu.tiling import tile_parts
from te_schedules.cpu.vector_code import Expr, when

__all__ = ["emit_conv2d", "emit_depthwise", "emit_planes"]


def emit_conv2d(conv: Conv2dBinding) -> None:
    """Emits a whole kernel, its threads included."""
    rows, columns, chunks = conv.store.rows, conv.store.columns, conv.schedule.chunks
    tiles = rows.count * columns.count
    inner = {Outer.TILE: 1, Outer.ROW: columns.count, Outer.PLANE: tiles}[conv.schedule.outer]
    blocks = tiles // inner
    with T.parallel(conv.geometry.batch * blocks * chunks) as task:
        tile = conv.allocate()
        chunk, block, n = task % chunks, task // chunks % blocks, task // (chunks * blocks)
        first, last = conv.groups_of(chunk)
        with T.serial(conv.fkw.bands) as done:
            copy_inputs(conv, tile, chunk, done, conv.corner(n, block * inner))
            with T.serial(last - first) as i, T.serial(inner) as t:
                turn = Turn(chunk=chunk, done=done, i=i, g=first + i)
                _emit_tile(conv, tile, turn, n, block * inner + t)


def _emit_tile(conv: Conv2dBinding, tile: Tile, turn: Turn, n: Expr, number: Expr) -> None:
    corner = conv.corner(n, number)
    prefetch_band(conv, turn, corner)
    slot = band_of(conv, turn.chunk, turn.done) * conv.fkw.groups + turn.g
    for part in _parts(conv.store, tile, number):
        begin_sums(conv, part, turn)
        prefetch_outputs(conv, part, turn, corner)
        conv.products.add_group(conv, part, corner, slot)
        end_sums(conv, part, turn, corner)


def emit_planes(conv: Conv2dBinding, tile: Tile, g: Expr, n: Expr, target: TileStore) -> None:
    """Emits the planes of one group of filters, into the planes (0, f) of the output.

    Args:
        tile: from ``conv.allocate``.
        target: where the same planes of the kernel that follows will go.
    """
    tiles = conv.store.rows.count * conv.store.columns.count
    with T.serial(tiles) as number:
        corner = conv.corner(n, number)
        for f in range(conv.fkw.group):
            target.prefetch_share(n, conv.filter(g, f), number, tiles)
        for part in _parts(conv.store, tile, number):
            part.clear_sums()
            conv.products.add_group(conv, part, corner, g)
            for f, sums in enumerate(part.sums):
                at = (n, conv.filter(g, f), corner.row, corner.column)
                conv.store.emit(sums, *at, plane=(0, f))


def emit_depthwise(conv: Conv2dBinding, tile: Tile, f: int, c: Expr, n: Expr) -> None:
    """Emits plane (n, c) of a depthwise convolution over plane (0, f) of its input.

    Args:
        tile: from ``conv.allocate``.
    """
    (pattern,) = conv.fkw.patterns
    kernel = ListedKernel(inputs=f * conv.inputs.distance, weight=c * len(pattern), number=c)
    with T.serial(conv.store.rows.count * conv.store.columns.count) as number:
        corner = conv.corner(0, number)
        for part in _parts(conv.store, tile, number):
            part.clear_sums()
            add_kernel(conv, part, corner, pattern, kernel)
            conv.store.emit(part.sums[0], n, c, corner.row, corner.column)


def _parts(store: TileStore, tile: Tile, number: Expr) -> Iterator[Tile]:
    """Emits a branch for each part of ``tile_parts``, and yields the tile that it computes."""
    rows, columns = store.rows, store.columns
    parts = tile_parts(rows, columns)
    if len(parts) == 1:
        yield tile
        return
    index, count = number // columns.count, rows.count
    if columns.overlap:
        index, count = number % columns.count, columns.count
    with when(index < count - 1):
        yield tile
    with when(index == count - 1):
        yield tile.part(parts[1].places)
