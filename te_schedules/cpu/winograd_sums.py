"""The transforms of a block's sums, and their stores."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.linear_map import emit_linear_map
from te_schedules.cpu.tiling import Tiling
from te_schedules.cpu.vector_code import Expr, when
from te_schedules.cpu.winograd_binding import WinogradBinding

__all__ = ["transform_sums"]


def transform_sums(
    conv: WinogradBinding, sums: Buffer, n: Expr, unit: Expr, first: Expr, last: Expr
) -> None:
    """Emits the results of all filters of a chunk.

    Args:
        sums: from ``allocate_sums``.
        unit: the first of the block.
        first, last: the groups of filters.
    """
    together, group = conv.schedule.together, conv.kernels.group
    with (
        T.serial(last - first) as i,
        T.serial(group) as f,
        T.serial(conv.schedule.units) as u,
        T.serial(together) as c,
    ):
        number = conv.tile(unit + u, c)
        places = [
            conv.sums_at(p, i, u) + (f * together + c) * conv.code.lanes
            for p in range(conv.products)
        ]
        for rows, columns in _parts(conv, number):
            results = _results(conv, sums, places)
            kept = {(r, v): results[r][v] for r in rows for v in columns}
            conv.store.emit(kept, n, conv.filter(first + i, f), *conv.corner(number))


def _results(conv: WinogradBinding, sums: Buffer, places: Sequence[Expr]) -> list[list[Buffer]]:
    """Emits the transform of a tile's sums, and returns its rows of outputs."""
    code, width = conv.code, conv.x.products
    rows = []
    for r in range(conv.y.products):
        loaded = code.registers(width)
        for v, register in enumerate(loaded):
            code.set(register, code.load(sums, places[r * width + v]))
        rows.append(emit_linear_map(code, conv.x.of_outputs, loaded))
    columns = [
        emit_linear_map(code, conv.y.of_outputs, values) for values in zip(*rows, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _parts(conv: WinogradBinding, number: Expr) -> Iterator[tuple[range, range]]:
    """Emits a branch for each set of rows and columns of a tile that no tile before it has.

    A value that two tiles compute differs in rounding, so that two threads must not store it.
    """
    rows, columns = conv.store.rows, conv.store.columns
    of_rows = _fresh(rows, number // columns.count)
    of_columns = _fresh(columns, number % columns.count)
    for (kept_rows, in_rows), (kept_columns, in_columns) in itertools.product(of_rows, of_columns):
        with when(*in_rows, *in_columns):
            yield kept_rows, kept_columns


def _fresh(tiling: Tiling, index: Expr) -> list[tuple[range, tuple[Expr, ...]]]:
    """Returns which places of a tile are its own, and of which tiles that is true."""
    whole = range(tiling.tile)
    if not tiling.overlap:
        return [(whole, ())]
    last = range(tiling.overlap, tiling.tile)
    return [(whole, (index < tiling.count - 1,)), (last, (index == tiling.count - 1,))]
