"""Where a lane reads its inputs: what the block brought to shared memory, or the input itself.

Both tell a kernel's place of their own, by the number in its list, and load what ``lane_reads``
names into registers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tvm import tirx
from tvm.tirx import Buffer, Ramp
from tvm.tirx.script import builder as T

from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.shared_tile import SharedTile
from te_schedules.tir_function import Expr
from te_schedules.window import Window

__all__ = ["CachedInputs", "LaneInputs", "SharedInputs", "lane_tile"]


def lane_tile(window: Window, schedule: GpuSchedule) -> tuple[int, int]:
    """Returns the rows and columns of the input that a lane's outputs read."""
    rows, columns = (
        (count - 1) * step + (taps - 1) * gap + 1
        for count, step, taps, gap in zip(
            (schedule.rows, schedule.columns),
            window.stride,
            window.taps,
            window.dilation,
            strict=True,
        )
    )
    return rows, columns


class LaneInputs(Protocol):
    """Inputs of a lane's tile."""

    def corner(self, place: Expr) -> Expr:
        """Returns where the inputs of a channel begin, of which a list has the place."""

    def read(self, held: Buffer, corner: Expr, y: int, unit: int) -> None:
        """Emits loads into ``held``: row y of the tile, one value for each of its columns."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedInputs:
    """In shared memory: see ``SharedTile``.

    Attributes:
        lane: where those of the lane begin in a channel, in columns of the schedule.
    """

    tile: SharedTile
    columns: int
    inputs: Buffer
    lane: Expr

    def corner(self, place: Expr) -> Expr:
        """See ``LaneInputs``."""
        return place + self.lane

    def read(self, held: Buffer, corner: Expr, y: int, unit: int) -> None:
        """See ``LaneInputs``."""
        if self.columns == 1:
            at = corner + (self.tile.row(y) + self.tile.column(unit))
            T.buffer_store(held, self.inputs[at], [0])
            return
        at = corner + (self.tile.row(y) // self.columns + unit)
        vector = Ramp(at * self.columns, 1, self.columns)
        T.buffer_store(held, self.inputs[vector], [Ramp(0, 1, self.columns)])


class CachedInputs:
    """In the input itself, through the cache: for GPUs whose shared memory is none of its own.

    The rows and columns of the lane's tile are found once; what lies outside of the image is
    read where the nearest value is, and replaced by zero.
    """

    def __init__(
        self, geometry: GpuGeometry, schedule: GpuSchedule, data: Buffer, n: Expr, first: Expr
    ) -> None:
        self._geometry, self._columns, self._data, self._n = geometry, schedule.columns, data, n
        self._first = first
        window = geometry.window
        self._padded = any(
            before or (out - 1) * step + (taps - 1) * gap - before >= size
            for before, out, step, taps, gap, size in zip(
                window.padding,
                geometry.out_size,
                window.stride,
                window.taps,
                window.dilation,
                geometry.in_size,
                strict=True,
            )
        )
        self._sizes = lane_tile(window, schedule)

    def place(self, top: Expr, left: Expr) -> None:
        """Emits where the rows and columns of a lane's tile are.

        Args:
            top, left: the lane's first output.
        """
        window, (height, width) = self._geometry.window, self._geometry.in_size
        y = top * window.stride[0] - window.padding[0]
        x = left * window.stride[1] - window.padding[1]
        self._rows, self._is_row = self._axis(y, self._sizes[0], height, width)
        self._lefts, self._is_column = self._axis(x, self._sizes[1], width, 1)

    def _axis(self, begin: Expr, count: int, size: int, pitch: int) -> tuple[Buffer, Buffer]:
        places = T.alloc_buffer((count,), "int32", scope="local")
        exist = T.alloc_buffer((count,), "int32", scope="local")
        for i in range(count):
            at = begin + i
            nearest = tirx.max(tirx.min(at, size - 1), 0)
            T.buffer_store(places, nearest * pitch, [i])
            if self._padded:
                T.buffer_store(exist, tirx.Select(nearest == at, T.int32(1), T.int32(0)), [i])
        return places, exist

    def corner(self, place: Expr) -> Expr:
        """See ``LaneInputs``."""
        height, width = self._geometry.in_size
        return (self._first + place) * (height * width)

    def read(self, held: Buffer, corner: Expr, y: int, unit: int) -> None:
        """See ``LaneInputs``."""
        for i in range(self._columns):
            x = unit * self._columns + i
            if x >= self._sizes[1]:
                continue
            value = self._data[self._n, 0, 0, corner + self._rows[y] + self._lefts[x]]
            if str(self._data.dtype) != "float32":
                value = tirx.Cast("float32", value)
            T.buffer_store(held, value, [i])
            if self._padded:
                exists = self._is_row[y] + self._is_column[x] == 2
                T.buffer_store(held, tirx.Select(exists, held[i], T.float32(0)), [i])
