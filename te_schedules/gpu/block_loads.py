"""Brings what a block needs for a window of channels to its shared memory.

A thread has the loads of the next window under way while it computes: they wait in registers
until all threads are done with the last one. Loads of different threads lie side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tvm import tirx
from tvm.tirx import Buffer, Ramp
from tvm.tirx.script import builder as T

from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.shared_tile import SharedTile
from te_schedules.tir_function import Expr, when

__all__ = ["ArrayLoads", "LoadPlan", "TileLoads"]


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """How the threads of a block share the loads of a tile.

    Attributes:
        values: of one channel of the tile.
        abreast: channels that are loaded at the same time.
        rounds: times that as many are.
        slots: values of a channel that a thread loads.
    """

    values: int
    abreast: int
    rounds: int
    slots: int

    @classmethod
    def of(cls, tile: SharedTile, schedule: GpuSchedule) -> LoadPlan:
        """Returns the plan in which the fewest threads idle."""
        values = tile.size[0] * tile.size[1]
        most = max(1, schedule.threads // values)
        abreast = max(n for n in range(1, most + 1) if schedule.window % n == 0)
        return cls(
            values=values,
            abreast=abreast,
            rounds=schedule.window // abreast,
            slots=1 if abreast > 1 else -(-values // schedule.threads),
        )

    @property
    def registers(self) -> int:
        """Values that a thread has under way."""
        return self.slots * self.rounds


class TileLoads:
    """The loads of a tile's inputs.

    What lies outside of the image is zero in every window, so it is set once. All loads are
    unconditional, from the nearest place that exists, as a branch for each would be a wait.

    Args:
        data, shared: from where to where.
        n: image.
        all_windows: no window is asked for that does not exist.
    """

    def __init__(
        self,
        geometry: GpuGeometry,
        schedule: GpuSchedule,
        tile: SharedTile,
        data: Buffer,
        shared: Buffer,
        n: Expr,
        all_windows: bool,
    ) -> None:
        self._geometry, self._schedule, self._tile = geometry, schedule, tile
        self._data, self._shared, self._n, self._all_windows = data, shared, n, all_windows
        self.plan = LoadPlan.of(tile, schedule)

    def place(self, thread: Expr, top: Expr, left: Expr) -> None:
        """Emits where each of a thread's inputs comes from and goes to, and the zeros around.

        Args:
            top, left: the first output of the tile.
        """
        plan, tile = self.plan, self._tile
        self._source = T.alloc_buffer((plan.slots,), "int32", scope="local")
        self._target = T.alloc_buffer((plan.slots,), "int32", scope="local")
        self._held = T.alloc_buffer((plan.registers,), str(self._data.dtype), scope="local")
        self._channel = thread // plan.values if plan.abreast > 1 else 0
        first = thread % plan.values if plan.abreast > 1 else thread
        for k in range(plan.slots):
            at = first + k * self._schedule.threads
            y, x = at // tile.size[1], at % tile.size[1]
            exists = at < plan.values if plan.abreast == 1 else thread < plan.values * plan.abreast
            inside, source = self._position(top, left, y, x)
            used = tirx.all(exists, inside)
            T.buffer_store(self._source, tirx.Select(used, source, T.int32(-1)), [k])
            target = self._channel * tile.channel + tile.row(y) + tile.column(x)
            T.buffer_store(self._target, target, [k])
            with when(exists, self._source[k] < 0):
                for r in range(plan.rounds):
                    self._store(k, r, T.float32(0))

    def _position(self, top: Expr, left: Expr, y: Expr, x: Expr) -> tuple[Expr, Expr]:
        window, (height, width) = self._geometry.window, self._geometry.in_size
        row = top * window.stride[0] - window.padding[0] + y
        column = left * window.stride[1] - window.padding[1] + x
        inside = tirx.all(row >= 0, row < height, column >= 0, column < width)
        return inside, row * width + column

    def _store(self, k: int, r: int, value: Expr) -> None:
        at = self._target[k] + r * self.plan.abreast * self._tile.channel
        T.buffer_store(self._shared, value, [at])

    def load(self, window: Expr) -> None:
        """Emits the loads of a window's inputs, into registers."""
        channels = self._geometry.in_channels
        clamped = channels % self._schedule.window or not self._all_windows
        for k in range(self.plan.slots):
            source = tirx.max(self._source[k], 0)
            for r in range(self.plan.rounds):
                channel = window * self._schedule.window + r * self.plan.abreast + self._channel
                if clamped:  # no list names a channel after the last
                    channel = tirx.min(channel, channels - 1)
                value = self._data[self._n, channel, 0, source]
                T.buffer_store(self._held, value, [k * self.plan.rounds + r])

    def store(self) -> None:
        """Emits the stores of what was loaded, into shared memory."""
        for k in range(self.plan.slots):
            with when(self._source[k] >= 0):
                for r in range(self.plan.rounds):
                    held = self._held[k * self.plan.rounds + r]
                    self._store(k, r, self._convert(held))

    def _convert(self, value: Expr) -> Expr:
        return value if str(self._data.dtype) == "float32" else tirx.Cast("float32", value)


class ArrayLoads:
    """The copy of a block's share of an array (blocks, windows, length) to shared memory."""

    def __init__(
        self,
        source: Buffer,
        shared: Buffer,
        schedule: GpuSchedule,
        unit: int,
        convert: Callable[[Expr], Expr] = lambda value: value,
    ) -> None:
        self._source, self._shared, self._unit, self._convert = source, shared, unit, convert
        self._threads = schedule.threads
        self._length = int(source.shape[2]) // unit
        self._held = T.alloc_buffer((self.rounds * unit,), str(source.dtype), scope="local")

    @property
    def rounds(self) -> int:
        """Loads of each thread."""
        return -(-self._length // self._threads)

    def load(self, thread: Expr, block: Expr, window: Expr) -> None:
        """Emits the loads of a window's share, into registers."""
        share = (block * int(self._source.shape[1]) + window) * self._length
        for r in range(self.rounds):
            at = thread + r * self._threads
            if (r + 1) * self._threads > self._length:
                at = tirx.min(at, self._length - 1)
            value = self._source[0, 0, self._vector(share + at)]
            T.buffer_store(self._held, value, [self._vector(T.int32(r))])

    def store(self, thread: Expr) -> None:
        """Emits the stores of what was loaded, into shared memory."""
        for r in range(self.rounds):
            at = thread + r * self._threads
            partial = (r + 1) * self._threads > self._length
            with when(*([at < self._length] if partial else [])):
                value = self._convert(self._held[self._vector(T.int32(r))])
                T.buffer_store(self._shared, value, [self._vector(at)])

    def _vector(self, at: Expr) -> Expr:
        return at if self._unit == 1 else Ramp(at * self._unit, 1, self._unit)
