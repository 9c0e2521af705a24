"""Stores a register tile: the epilogue, zeros outside the plane, and the halo.

The tile that owns a value also writes the copies of it that neighbouring blocks keep in
their halo, so no pass over the tensor is left to do for padding.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tvm import tirx
from tvm.tirx import Buffer

from te_schedules.cpu.epilogue import apply_step
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.odd_lines import LINE_BYTES
from te_schedules.cpu.tiling import Tiling
from te_schedules.cpu.vector_code import Expr, Param, VectorCode, constant_vector, when
from te_schedules.epilogue import Step, operands_of

__all__ = [
    "Operand",
    "OperandSpec",
    "TileStore",
    "bind_operands",
    "block_starts",
    "one_of_each_line",
    "operand_params",
]

Tile = Mapping[tuple[int, int], Buffer]


@dataclass(frozen=True)
class Operand:
    """The buffer of a step's operand.

    It is a tensor in ``layout``, or, without one, a number for each channel of every image
    (n, channels) or of all images (1, channels).
    """

    buffer: Buffer
    layout: LaneLayout | None = None


@dataclass(frozen=True)
class OperandSpec:
    """The type of a step's operand: see ``Operand``."""

    batch: int = 1
    layout: LaneLayout | None = None


def operand_params(steps: Sequence[Step[OperandSpec]], channels: int) -> list[Param]:
    """Returns the parameters of a kernel for the operands of its steps."""
    shapes = [
        spec.layout.shape(spec.batch, channels) if spec.layout else (spec.batch, channels)
        for spec in operands_of(steps)
    ]
    return [(f"operand{i}", shape, "float32") for i, shape in enumerate(shapes)]


def bind_operands(
    steps: Sequence[Step[OperandSpec]], buffers: Sequence[Buffer]
) -> list[Step[Operand]]:
    """Returns the steps with the buffers of ``operand_params`` for their operands."""
    remaining = iter(buffers)
    return [step.bind(lambda spec: Operand(next(remaining), spec.layout)) for step in steps]


@dataclass(frozen=True)
class TileStore:
    """Finishes and stores tiles of one output.

    Attributes:
        output: the buffer (n, c, plane_values).
        layout: the output's layout.
        rows, columns: the tiles over the plane.
        steps: the epilogue.
    """

    code: VectorCode
    output: Buffer
    layout: LaneLayout
    rows: Tiling
    columns: Tiling
    steps: Sequence[Step[Operand]] = ()

    def emit(
        self,
        tile: Tile,
        n: Expr,
        c: Expr,
        row: Expr,
        column: Expr,
        plane: tuple[Expr, Expr] | None = None,
    ) -> None:
        """Emits the stores of ``tile``, whose place (0, 0) is vector (row, column) of plane (n, c).

        Args:
            plane: where ``output`` has that plane, if not at (n, c).
        """
        self._epilogue(tile, n, c, row, column)
        if not self.layout.split.is_exact:
            self._clear_outside(tile, row, column)
        n, c = plane or (n, c)
        for (r, v), register in tile.items():
            self._store(register, n, c, row + r, column + v)
        for shift_y, shift_x in self._halo_shifts():
            self._halo(tile, n, c, row, column, shift_y, shift_x)

    def prefetch(
        self, places: Iterable[tuple[int, int]], n: Expr, c: Expr, row: Expr, column: Expr
    ) -> None:
        """Begins to bring to the cache what ``emit`` of a tile with these places will need.

        It lies far from the last tile's, so no processor foresees it; while the sums are
        computed there is time to get it.
        """
        operands = operands_of(self.steps)
        tensors = [(o.buffer, o.layout, False) for o in operands if o.layout is not None]
        touched = one_of_each_line(places, max(1, LINE_BYTES // (4 * self.code.lanes)))
        for buffer, layout, write in [(self.output, self.layout, True), *tensors]:
            for r, v in touched:
                at = layout.offset(row + r, column + v)
                self.code.prefetch(buffer, n, c, at, write=write)

    def prefetch_share(self, n: Expr, c: Expr, share: Expr, shares: int) -> None:
        """Begins to bring one of ``shares`` equal parts of an output plane to the cache."""
        part = -(-self.layout.plane_vectors // shares)
        for i in range(part):
            vector = share * part + i
            with when(vector < self.layout.plane_vectors):
                self.code.prefetch(self.output, n, c, vector * self.code.lanes, write=True)

    def _epilogue(self, tile: Tile, n: Expr, c: Expr, row: Expr, column: Expr) -> None:
        for step in self.steps:
            operand, channel = step.operand, None
            if operand is not None and operand.layout is None:
                channel = self.code.register()
                image = n if int(operand.buffer.shape[0]) > 1 else 0
                self.code.set(channel, self.code.broadcast(operand.buffer[image, c]))
            for (r, v), register in tile.items():
                value = None
                if channel is not None:
                    value = self.code.get(channel)
                elif operand is not None and operand.layout is not None:
                    at = operand.layout.offset(row + r, column + v)
                    value = self.code.load(operand.buffer, n, c, at)
                new = apply_step(self.code, step, self.code.get(register), value)
                self.code.set(register, new)

    def _clear_outside(self, tile: Tile, row: Expr, column: Expr) -> None:
        layout = self.layout
        y, x = block_starts(layout)
        for (r, v), register in tile.items():
            rows_left = tirx.Broadcast(layout.height - (row + r), layout.lanes)
            columns_left = tirx.Broadcast(layout.width - (column + v), layout.lanes)
            inside = tirx.And(y < rows_left, x < columns_left)
            value = self.code.get(register)
            self.code.set(register, tirx.Select(inside, value, self.code.broadcast(0.0)))

    def _store(self, register: Buffer, n: Expr, c: Expr, row: Expr, column: Expr) -> None:
        at = self.layout.offset(row, column)
        self.code.store(self.output, self.code.get(register), n, c, at)

    def _halo_shifts(self) -> Iterator[tuple[int, int]]:
        """Yields by how many blocks the copies in the halo lie away, in y and x."""
        halo = self.layout.halo
        for y in _shifts(halo.top, halo.bottom, self.layout.vectors_y):
            for x in _shifts(halo.left, halo.right, self.layout.vectors_x):
                if (y, x) != (0, 0):
                    yield y, x

    def _halo(
        self, tile: Tile, n: Expr, c: Expr, row: Expr, column: Expr, shift_y: int, shift_x: int
    ) -> None:
        layout, halo = self.layout, self.layout.halo
        ys = _copied(self.rows, shift_y * layout.vectors_y, halo.top, halo.bottom)
        xs = _copied(self.columns, shift_x * layout.vectors_x, halo.left, halo.right)
        source = _shifted_lanes(layout, shift_y, shift_x)
        for r in ys:
            to_row = row + r + shift_y * layout.vectors_y
            with when(*_in_halo(to_row, shift_y, halo.top, layout.vectors_y, halo.bottom)):
                for v in (v for v in xs if (r, v) in tile):
                    to = column + v + shift_x * layout.vectors_x
                    with when(*_in_halo(to, shift_x, halo.left, layout.vectors_x, halo.right)):
                        value = self.code.permute(self.code.get(tile[r, v]), source)
                        self.code.store(self.output, value, n, c, layout.offset(to_row, to))


def block_starts(layout: LaneLayout) -> tuple[Expr, Expr]:
    """Returns vectors of the row and the column at which each lane's block starts."""
    lanes = range(layout.lanes)
    return (
        constant_vector([lane // layout.lanes_x * layout.vectors_y for lane in lanes]),
        constant_vector([lane % layout.lanes_x * layout.vectors_x for lane in lanes]),
    )


def one_of_each_line(places: Iterable[tuple[int, int]], vectors: int) -> list[tuple[int, int]]:
    """Returns places of which every line holds one, wherever a row begins in its first line.

    Args:
        vectors: of a line.
    """
    rows: dict[int, list[int]] = {}
    for r, v in places:
        rows.setdefault(r, []).append(v)
    return [(r, v) for r, row in rows.items() for v in sorted({*sorted(row)[::vectors], max(row)})]


def _shifts(before: int, after: int, steps: int) -> range:
    return range(-math.ceil(before / steps), math.ceil(after / steps) + 1)


def _copied(tiling: Tiling, shift: int, before: int, after: int) -> list[int]:
    """Returns which positions of a tile any tile copies ``shift`` vectors away."""
    if shift == 0:
        return list(range(tiling.tile))
    targets = {*range(-before, 0), *range(tiling.extent, tiling.extent + after)}
    return [i for i in range(tiling.tile) if any(s + i + shift in targets for s in tiling.starts)]


def _in_halo(to: Expr, shift: int, before: int, steps: int, after: int) -> tuple[Expr, ...]:
    if shift == 0:
        return ()
    return (to >= -before, to < 0) if shift < 0 else (to >= steps, to < steps + after)


def _shifted_lanes(layout: LaneLayout, shift_y: int, shift_x: int) -> list[int | None]:
    """Returns for each lane the lane whose block is (shift_y, shift_x) blocks away."""
    source: list[int | None] = []
    for lane in range(layout.lanes):
        y, x = lane // layout.lanes_x + shift_y, lane % layout.lanes_x + shift_x
        inside = 0 <= y < layout.lanes_y and 0 <= x < layout.lanes_x
        source.append(y * layout.lanes_x + x if inside else None)
    return source
