"""Moves tensors into, out of and between lane-blocked layouts.

Vectors of a block next to each other are the columns of a square whose rows are stretches of the
plane's rows, one for each lane. So a plane is laid out plainly, with zeros around it, and squares
of it are transposed in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.transpose import emit_transposed
from te_schedules.cpu.vector_code import Expr, VectorCode, prim_func, when

__all__ = ["relayout"]

ROWS = 4  # of vectors that a task makes of plain rows: these and what it reads stay in L1


def relayout(
    batch: int, channels: int, source: LaneLayout | None, target: LaneLayout | None
) -> PrimFunc:
    """Generates the kernel (input, output) over planes of values.

    Args:
        source, target: layouts of equal planes; None stands for the plain row-major plane.

    Raises:
        ValueError: neither of them has lanes.
    """
    layout = target or source
    if layout is None:
        raise ValueError("a relayout needs a lane-blocked layout on one side")
    area = layout.height * layout.width
    parts = -(-target.rows // ROWS) if target and not source else 1

    def body(data: Buffer, output: Buffer) -> None:
        with T.parallel(batch * channels * parts) as task:
            n, c, part = task // (channels * parts), task // parts % channels, task % parts
            if source is None and target is not None:
                rows = _PlainRows.of_part(target)
                rows.read_part(data, target, n, c, part * ROWS)
                rows.write_lanes(output, target, n, c, part * ROWS)
                return
            assert source is not None
            rows = _PlainRows.of_plane(source, target)
            rows.read_lanes(data, source, n, c)
            if target is None:
                rows.write_plain(output, source, n, c)
            else:
                rows.write_lanes(output, target, n, c, 0)

    return prim_func(
        [
            ("data", (batch, channels, source.plane_values if source else area), "float32"),
            ("output", (batch, channels, target.plane_values if target else area), "float32"),
        ],
        body,
    )


@dataclass(frozen=True, kw_only=True)
class _PlainRows:
    """Rows of a plane in memory, with zeros around them.

    Attributes:
        memory: (rows * pitch,).
        pitch: values from a row to the next.
        top, left: zeros before the first row and the first column.
        held: rows of a block that there are, of those of a target.
        block_rows: from where a block's rows begin to where those of the block below do.
    """

    code: VectorCode
    memory: Buffer
    pitch: int
    top: int = 0
    left: int = 0
    held: int = 0
    block_rows: int = 0

    @classmethod
    def of_part(cls, target: LaneLayout) -> _PlainRows:
        """Emits memory for some rows of every block of ``target``."""
        return cls._cleared(
            target.lanes,
            rows=target.lanes_y * ROWS,
            columns=_read_columns(target),
            left=target.halo.left,
            held=ROWS,
            block_rows=ROWS,
        )

    @classmethod
    def of_plane(cls, source: LaneLayout, target: LaneLayout | None) -> _PlainRows:
        """Emits memory for a whole plane."""
        lanes, halo = source.lanes, target.halo if target else None
        top, left = (halo.top, halo.left) if halo else (0, 0)
        rows = top + source.lanes_y * source.vectors_y
        last = (source.lanes_x - 1) * source.vectors_x + max(source.vectors_x, lanes)
        columns, held, block_rows = left + last, 0, 0
        if target is not None:
            held, block_rows = target.rows, target.vectors_y
            rows = max(rows, (target.lanes_y - 1) * block_rows + held)
            columns = max(columns, _read_columns(target))
        return cls._cleared(
            lanes, rows, columns, top=top, left=left, held=held, block_rows=block_rows
        )

    @classmethod
    def _cleared(cls, lanes: int, rows: int, columns: int, **others: int) -> _PlainRows:
        code, vectors = VectorCode(lanes), -(-columns // lanes) | 1  # sets of caches differ
        memory = T.alloc_buffer((rows * vectors * lanes,), "float32")
        with T.serial(rows * vectors) as v:
            code.store(memory, code.broadcast(0.0), v * lanes)
        return cls(code=code, memory=memory, pitch=vectors * lanes, **others)

    def read_part(self, data: Buffer, target: LaneLayout, n: Expr, c: Expr, first: Expr) -> None:
        """Emits copies of what rows of vectors of ``target`` hold, from row ``first`` on."""
        with T.serial(target.lanes_y) as block, T.serial(self.held) as r:
            y = block * target.vectors_y + first + r - target.halo.top
            to = (block * self.block_rows + r) * self.pitch + self.left
            with when(y >= 0, y < target.height):
                for at, copy in _pieces(self.code, target.width):
                    copy((data, n, c, y * target.width + at), (self.memory, to + at))

    def read_lanes(self, data: Buffer, source: LaneLayout, n: Expr, c: Expr) -> None:
        """Emits the transposition of all vectors of a plane, without its halo."""
        code, lanes = self.code, self.code.lanes
        with T.serial(source.vectors_y) as row:
            for first, count in _squares(source.vectors_x, lanes, overlap=True):
                columns = code.registers(lanes)
                for v, register in enumerate(columns):
                    at = source.offset(row, first + v)
                    empty = v >= count
                    code.set(register, code.broadcast(0.0) if empty else code.load(data, n, c, at))
                for lane, register in enumerate(emit_transposed(code, columns)):
                    y = lane // source.lanes_x * source.vectors_y + row + self.top
                    x = lane % source.lanes_x * source.vectors_x + first + self.left
                    code.store(self.memory, code.get(register), y * self.pitch + x)

    def write_lanes(
        self, output: Buffer, target: LaneLayout, n: Expr, c: Expr, first: Expr
    ) -> None:
        """Emits the transposition into a plane's rows of vectors, from row ``first`` on."""
        code, lanes = self.code, self.code.lanes
        with T.serial(self.held) as r, when(first + r < target.rows):
            for column, count in _squares(target.row_vectors, lanes):
                stretches = code.registers(lanes)
                for lane, register in enumerate(stretches):
                    y = lane // target.lanes_x * self.block_rows + r
                    x = lane % target.lanes_x * target.vectors_x + column
                    code.set(register, code.load(self.memory, y * self.pitch + x))
                vectors = emit_transposed(code, stretches)[:count]
                for v, register in enumerate(vectors):
                    at = ((first + r) * target.row_vectors + column + v) * lanes
                    code.store(output, code.get(register), n, c, at)

    def write_plain(self, output: Buffer, source: LaneLayout, n: Expr, c: Expr) -> None:
        """Emits copies of the rows of a plane."""
        with T.serial(source.height) as y:
            for at, copy in _pieces(self.code, source.width):
                copy((self.memory, y * self.pitch + at), (output, n, c, y * source.width + at))


Place: TypeAlias = tuple[Any, ...]  # a buffer, and the index of a value in it


def _pieces(code: VectorCode, values: int) -> Iterator[tuple[Expr, Callable[[Place, Place], None]]]:
    """Emits loops over ``values`` next to each other; yields where each piece is, and its copy."""

    def vector(source: Place, target: Place) -> None:
        code.store(target[0], code.load(*source), *target[1:])

    def single(source: Place, target: Place) -> None:
        T.buffer_store(target[0], source[0][source[1:]], list(target[1:]))

    if values < code.lanes:
        with T.serial(values) as i:
            yield i, single
        return
    for first, _ in _squares(values, code.lanes, overlap=True):
        yield first, vector


def _squares(count: int, lanes: int, *, overlap: bool = False) -> Iterator[tuple[Expr, int]]:
    """Emits loops over ``count`` vectors, ``lanes`` at a time; yields the first, and how many.

    Args:
        overlap: the last ones are as many, too, where there are as many at all.
    """
    whole, rest = divmod(count, lanes)
    if whole:
        with T.serial(whole) as i:
            yield i * lanes, lanes
    if rest and whole and overlap:
        yield count - lanes, lanes
    elif rest:
        yield whole * lanes, rest


def _read_columns(target: LaneLayout) -> int:
    """Returns the columns that the squares of a row of vectors reach to."""
    squares = -(-target.row_vectors // target.lanes)
    return (target.lanes_x - 1) * target.vectors_x + squares * target.lanes
