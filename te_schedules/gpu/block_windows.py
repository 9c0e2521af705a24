"""Multiplies the windows of channels that a block visits, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tvm import tirx
from tvm.tirx import Buffer, Ramp
from tvm.tirx.script import builder as T

from te_schedules.gpu.block_loads import ArrayLoads, TileLoads
from te_schedules.gpu.conv2d_binding import GpuConv2d
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.lane_inputs import CachedInputs, LaneInputs, SharedInputs
from te_schedules.gpu.list_products import ListProducts
from te_schedules.tir_function import Expr, when

__all__ = ["BlockWindows", "lane_place"]


def lane_place(schedule: GpuSchedule, lane: Expr) -> tuple[Expr, Expr]:
    """Returns the strip of a lane, and its place in there; lanes without one do another's."""
    if schedule.strips * schedule.lanes_x < schedule.lanes:
        lane = lane % (schedule.strips * schedule.lanes_x)
    return lane // schedule.lanes_x, lane % schedule.lanes_x


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockWindows:
    """The windows of one block.

    Attributes:
        data: the input.
        stored: the constants of the kernel, by name.
        sums: registers of the lane.
        n, block: the image, and the block of its filters.
        thread, lane: of the block, and of the warp.
        top, left: the first output of the block's tile.
    """

    kernel: GpuConv2d
    data: Buffer
    stored: Mapping[str, Buffer]
    sums: Sequence[Buffer]
    n: Expr
    block: Expr
    thread: Expr
    lane: Expr
    top: Expr
    left: Expr

    def emit(self, begin: Expr, end: Expr, first: Expr) -> None:
        """Emits the products of some windows.

        Args:
            begin, end: counted from the block's first.
            first: that one.
        """
        if self.kernel.schedule.staged:
            self._staged(begin, end, first)
        else:
            self._unstaged(begin, end, first)

    def _staged(self, begin: Expr, end: Expr, first: Expr) -> None:
        """Brings one window after the other to shared memory, the next while one is computed."""
        products, load, store = self._loads()
        load(tirx.min(begin, int(self.stored["lists"].shape[1]) - 1), first)
        with T.serial(end - begin) as w:
            store()
            T.evaluate(T.tvm_storage_sync("shared"))
            load(tirx.min(begin + w + 1, end - 1), first)
            self._multiply(products)
            T.evaluate(T.tvm_storage_sync("shared"))

    def _unstaged(self, begin: Expr, end: Expr, first: Expr) -> None:
        """Reads inputs, lists and weights where they are."""
        kernel, s = self.kernel, self.kernel.schedule
        strip, lane_x = lane_place(s, self.lane)
        channel = T.alloc_buffer((1,), "int32", scope="local")
        inputs = CachedInputs(kernel.geometry, s, self.data, self.n, channel[0])
        inputs.place(self.top + strip * s.rows, self.left + lane_x * s.columns)
        with T.serial(end - begin) as w:
            T.buffer_store(channel, (first + begin + w) * s.window, [0])
            lists, weight = (self._share(name, begin + w) for name in ("lists", "weight"))
            self._multiply(self._products(inputs, lists, weight))

    def _share(self, name: str, window: Expr) -> Callable[[Expr], Expr]:
        """Returns what reads a block's share of an array for a window."""
        source = self.stored[name]
        unit = self.kernel.shares.unit if name == "weight" else 1
        begin = (self.block * int(source.shape[1]) + window) * (int(source.shape[2]) // unit)

        def read(at: Expr) -> Expr:
            if isinstance(at, Ramp):
                at = Ramp(at.base + begin * unit, 1, unit)
            else:
                at = at + begin * unit
            value = source[0, 0, at]
            wide = "float32" if unit == 1 else f"float32x{unit}"
            return tirx.Cast(wide, value) if str(source.dtype) == "float16" else value

        return read

    def _multiply(self, products: ListProducts) -> None:
        """Emits the products of the warp's groups."""
        groups, s = self.kernel.fkw.groups, self.kernel.schedule
        for i in range(s.groups):
            position = self.thread // s.lanes * s.groups + i
            inside = self.block * s.block_groups + position < groups
            with when(*([inside] if groups % s.block_groups else [])):
                products.emit(position, i)

    def _products(
        self,
        inputs: LaneInputs,
        lists: Callable[[Expr], Expr],
        weight: Callable[[Expr], Expr],
    ) -> ListProducts:
        kernel = self.kernel
        return ListProducts(
            window=kernel.geometry.window,
            schedule=kernel.schedule,
            patterns=kernel.fkw.patterns,
            group=kernel.fkw.group,
            unit=kernel.shares.unit,
            inputs=inputs,
            lists=lists,
            weight=weight,
            sums=self.sums,
        )

    def _loads(self) -> tuple[ListProducts, Callable[[Expr, Expr], None], Callable[[], None]]:
        """Allocates shared memory; returns what emits products, loads and stores."""
        kernel, s, tile = self.kernel, self.kernel.schedule, self.kernel.tile
        stored, unit = self.stored, kernel.shares.unit
        inputs = T.alloc_buffer((s.window * tile.channel,), "float32", scope="shared")
        weight_of, lists_of = stored["weight"], stored["lists"]
        weight = T.alloc_buffer((int(weight_of.shape[2]),), "float32", scope="shared")
        lists = T.alloc_buffer((int(lists_of.shape[2]),), "int32", scope="shared")
        tiles = TileLoads(
            kernel.geometry, s, tile, self.data, inputs, self.n, kernel.shares.same_cuts
        )
        tiles.place(self.thread, self.top, self.left)
        wide = f"float32x{unit}" if unit > 1 else "float32"
        convert = (lambda v: v) if kernel.storage == "float32" else (lambda v: tirx.Cast(wide, v))
        arrays = [
            ArrayLoads(weight_of, weight, s, unit, convert),
            ArrayLoads(lists_of, lists, s, 1),
        ]

        def load(window: Expr, first: Expr) -> None:
            tiles.load(first + window)
            for array in arrays:
                array.load(self.thread, self.block, window)

        def store() -> None:
            tiles.store()
            for array in arrays:
                array.store(self.thread)

        strip, lane_x = lane_place(s, self.lane)
        of_lane = SharedInputs(
            tile=tile,
            columns=s.columns,
            inputs=inputs,
            lane=strip * ((tile.strip * tile.pitch + tile.skew) // s.columns) + lane_x,
        )
        products = self._products(of_lane, lists.__getitem__, weight.__getitem__)
        return products, load, store
