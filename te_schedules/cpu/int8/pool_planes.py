"""Maximum and average pooling of quantised planes.

A row of results is made in two turns: the rows of its windows are combined, column by column, into
one row that has the padding at its ends; then the columns of each window are combined.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from operator import add

import numpy as np
from tvm import tirx
from tvm.tirx import Buffer, IntImm, PrimFunc, Shuffle
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.byte_code import ByteCode, StoredRange, Term
from te_schedules.cpu.int8.plane_loop import LANES
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import Expr, Param, prim_func, when
from te_schedules.window import Window

__all__ = ["PoolPlanes", "average_planes", "max_planes", "window_shares"]

Shape = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class PoolPlanes:
    """Windows over planes; tensors are (n, c, height, width)."""

    in_shape: Shape
    out_shape: Shape
    window: Window

    @property
    def row_bytes(self) -> int:
        """Values of a row with its padding, and those that the last vector reads beyond."""
        code, step = self.code, self.window.stride[1]
        last = (self.out_shape[3] - 1) * step + (self.window.taps[1] - 1) * self.window.dilation[1]
        before = self.window.padding[1]
        return max(last + code.lanes * step, before + self.in_shape[3]) + code.lanes

    @property
    def code(self) -> ByteCode:
        """Results at a time."""
        return ByteCode(min(LANES, self.out_shape[3]))


def max_planes(pool: PoolPlanes, stored: StoredRange) -> PrimFunc:
    """Generates (data, output): the largest bytes, within the bounds of ``stored``."""

    def finish(code: ByteCode, found: Expr, y: Expr, x: Expr) -> Expr:
        found = tirx.max(found, code.repeat(T.uint8(stored.low))) if stored.low > 0 else found
        return tirx.min(found, code.repeat(T.uint8(stored.high))) if stored.high < 255 else found

    row = _Row(pool, "uint8", 0, 0, tirx.max, lambda code, data: data)
    return prim_func(_params(pool), lambda data, output: row.emit(data, output, finish))


def average_planes(pool: PoolPlanes, term: Term, stored: StoredRange) -> PrimFunc:
    """Generates (data, rows, columns, output): means, rounded once.

    ``rows`` and ``columns`` are ``window_shares`` of the two directions.
    """
    zeros = math.prod(pool.window.taps) * term.zero

    def body(data: Buffer, rows: Buffer, columns: Buffer, output: Buffer) -> None:
        def finish(code: ByteCode, total: Expr, y: Expr, x: Expr) -> Expr:
            steps = T.Cast(code.dtype("float32"), total - code.repeat(T.int32(zeros)))
            share = code.repeat(rows[y]) * code.load(columns, x)
            return code.bytes(steps * share * code.float(term.scale), stored)

        border = pool.window.taps[0] * term.zero
        row = _Row(pool, "int32", term.zero, border, add, ByteCode.integers)
        row.emit(data, output, finish)

    first, last = _params(pool)
    shares: list[Param] = [
        ("rows", (pool.out_shape[2],), "float32"),
        ("columns", (pool.out_shape[3],), "float32"),
    ]
    return prim_func([first, *shares, last], body)


def window_shares(pool: PoolPlanes, axis: int, *, count_padding: bool) -> np.ndarray:
    """Returns one over the positions that count in each window along ``axis``, 0 or 1: float32."""
    window, extent, results = pool.window, pool.in_shape[2 + axis], pool.out_shape[2 + axis]
    first = np.arange(results)[:, None] * window.stride[axis] - window.padding[axis]
    at = first + np.arange(window.taps[axis]) * window.dilation[axis]
    counted = np.ones_like(at, bool) if count_padding else (at >= 0) & (at < extent)
    return (1 / counted.sum(1)).astype(np.float32)


@dataclass(frozen=True)
class _Row:
    """The loops of a pooling.

    Attributes:
        dtype: of what is combined.
        fill: what positions outside the plane hold.
        border: what columns of them are combined to.
        combine: of two values.
        widen: from bytes to ``dtype``.
    """

    pool: PoolPlanes
    dtype: str
    fill: int
    border: int
    combine: Callable[[Expr, Expr], Expr]
    widen: Callable[[ByteCode, Expr], Expr]

    def emit(
        self,
        data: Buffer,
        output: Buffer,
        finish: Callable[[ByteCode, Expr, Expr, Expr], Expr],
    ) -> None:
        pool = self.pool
        batch, channels, height, width = pool.out_shape
        code, one_value = pool.code, height * width == 1
        with T.parallel(batch * channels) as plane:
            n, c = plane // channels, plane % channels
            row = T.alloc_buffer((pool.row_bytes,), self.dtype)
            with T.serial(pool.row_bytes) as i:
                T.buffer_store(row, IntImm(self.dtype, self.border), [i])
            with T.serial(height) as y:
                self._combine_rows(data, row, n, c, y)
                with T.serial(-(-width // code.lanes)) as i:
                    x = tirx.min(i * code.lanes, width - code.lanes)
                    value = finish(code, self._window(row, x), y, x)
                    code.store(output, value, *((n, 0, c) if one_value else (n, c, y * width + x)))

    def _combine_rows(self, data: Buffer, row: Buffer, n: Expr, c: Expr, y: Expr) -> None:
        """Stores in ``row`` the combination of the rows of a window."""
        window, (_, _, height, width) = self.pool.window, self.pool.in_shape
        code = ByteCode(min(LANES, width))
        with T.serial(-(-width // code.lanes)) as i:
            x = tirx.min(i * code.lanes, width - code.lanes)
            place = x + window.padding[1]
            found = T.alloc_buffer((code.lanes,), self.dtype)
            code.store(found, code.repeat(IntImm(self.dtype, 0)), 0)
            for tap in range(window.taps[0]):
                at = y * window.stride[0] + tap * window.dilation[0] - window.padding[0]
                inside = [] if self._always_inside(tap) else [at >= 0, at < height]
                with when(*inside):
                    value = self.widen(code, code.load(data, n, c, at * width + x))
                    code.store(found, self.combine(code.load(found, 0), value), 0)
                if inside and self.fill:
                    with when(tirx.Not(tirx.all(*inside))):
                        value = code.repeat(IntImm(self.dtype, self.fill))
                        code.store(found, self.combine(code.load(found, 0), value), 0)
            code.store(row, code.load(found, 0), place)

    def _always_inside(self, tap: int) -> bool:
        window, pool = self.pool.window, self.pool
        first = tap * window.dilation[0] - window.padding[0]
        return first >= 0 and first + (pool.out_shape[2] - 1) * window.stride[0] < pool.in_shape[2]

    def _window(self, row: Buffer, x: Expr) -> Expr:
        """Returns the combination of the columns of the windows from ``x`` on."""
        window, code = self.pool.window, self.pool.code
        step = window.stride[1]
        values = []
        for tap in range(window.taps[1]):
            values.append(_load_every(row, code.lanes, step, x * step + tap * window.dilation[1]))
        found = values[0]
        for value in values[1:]:
            found = self.combine(found, value)
        return found


def _load_every(row: Buffer, lanes: int, step: int, start: Expr) -> Expr:
    """Reads each ``step``-th value from ``start`` on, ``lanes`` of them."""
    if step == 1 or lanes == 1:
        return ByteCode(lanes).load(row, start)
    wide = ByteCode(lanes * step).load(row, start)
    return Shuffle([wide], [IntImm("int32", step * lane) for lane in range(lanes)])


def _params(pool: PoolPlanes) -> tuple[Param, Param]:
    return (
        ("data", stored_shape(pool.in_shape), "uint8"),
        ("output", stored_shape(pool.out_shape), "uint8"),
    )
