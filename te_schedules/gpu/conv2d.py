"""Convolution over kernels stored as FKW, on a GPU, in plain planes.

One generator serves every convolution: pattern-pruned, connectivity-pruned 1x1, dense (one
pattern with all taps, its list shared by a group of filters), grouped and depthwise.

A block is a tile of the plane and some groups of filters: see ``GpuSchedule``. For each window
of channels its threads bring the tile's inputs and the block's lists and weights to shared
memory; then each lane adds the products of its warp's filters to sums in its registers. A schedule
that is not staged reads all of them where they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from tvm import tirx
from tvm.tirx import Buffer, PrimFunc, Ramp
from tvm.tirx.script import builder as T

from te_schedules.epilogue import Step
from te_schedules.gpu.block_lists import BlockLists
from te_schedules.gpu.block_loads import ArrayLoads, TileLoads
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.epilogue import (
    Operand,
    OperandSpec,
    apply_steps,
    bind_operands,
    operand_params,
)
from te_schedules.gpu.lane_inputs import CachedInputs, LaneInputs, SharedInputs
from te_schedules.gpu.list_products import ListProducts
from te_schedules.gpu.shared_tile import SharedTile
from te_schedules.tir_function import Expr, Param, prim_func, when
from tvm_patdnn.sparse.fkw import FKW

__all__ = ["GpuConv2d", "conv2d", "sum_parts"]

SUM_THREADS = 256
RESIDENT = "tirx.launch_bounds_min_blocks_per_sm"  # without it nvcc may spill to have more


@dataclass(frozen=True, kw_only=True)
class GpuConv2d:
    """All that determines the kernel of a convolution.

    Attributes:
        fkw: the stored kernels, in bands of the schedule's window.
        steps: the epilogue.
        storage: type of inputs, weights, operands and output; sums are float32.
    """

    geometry: GpuGeometry
    fkw: FKW
    schedule: GpuSchedule
    steps: Sequence[Step[OperandSpec]] = ()
    storage: str = "float32"

    @cached_property
    def tile(self) -> SharedTile:
        """Where the inputs of a block lie."""
        return SharedTile.of(self.geometry.window, self.schedule)

    @cached_property
    def shares(self) -> BlockLists:
        """The weight as blocks read it."""
        staged = self.schedule.staged
        channel = self.tile.channel // self.schedule.columns if staged else 1
        return BlockLists.of(self.fkw, self.schedule, channel)

    @property
    def splits(self) -> int:
        """Parts of the sums that are computed apart: with more than one there are two kernels."""
        return self.schedule.splits

    @property
    def blocks(self) -> int:
        """Blocks over all filters, for one tile of one image."""
        return -(-self.fkw.groups // self.schedule.block_groups)

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """The constants that the kernel takes, by name and in order."""
        shares = self.shares
        found = {
            "reorder": self.fkw.reorder.astype(np.int32),
            "lists": shares.lists,
            "weight": shares.weight.astype(self.storage),
        }
        if not shares.same_cuts:
            found |= {"first": shares.first, "cuts": shares.cuts}
        return found

    @property
    def parts_shape(self) -> tuple[int, ...]:
        """Of the sums of each split, float32."""
        return (self.splits, *self.geometry.out_shape)

    @property
    def operands(self) -> list[Param]:
        """The parameters for the operands of the steps."""
        return operand_params(self.steps, self.geometry.out_shape, self.storage)


def conv2d(kernel: GpuConv2d) -> PrimFunc:
    """Generates the kernel (data, *constants, *operands, output).

    Where the schedule splits the channels it is (data, *constants, parts), and ``sum_parts``
    does the rest.
    """
    arrays = kernel.constants
    constants = [(name, each.shape, str(each.dtype)) for name, each in arrays.items()]
    data = ("data", kernel.geometry.in_shape, kernel.storage)
    rest: list[Param] = [("parts", kernel.parts_shape, "float32")]
    if kernel.splits == 1:
        rest = [*kernel.operands, ("output", kernel.geometry.out_shape, kernel.storage)]

    def body(data: Buffer, *buffers: Buffer) -> None:
        stored = dict(zip(arrays, buffers, strict=False))
        _Block(kernel, data, stored, buffers[len(arrays) : -1], buffers[-1]).emit()

    return prim_func([data, *constants, *rest], body)


def sum_parts(kernel: GpuConv2d) -> PrimFunc:
    """Generates the kernel (parts, *operands, output) that ends a convolution of splits."""
    shape = kernel.geometry.out_shape
    params = [
        ("parts", kernel.parts_shape, "float32"),
        *kernel.operands,
        ("output", shape, kernel.storage),
    ]
    plane, total = shape[2] * shape[3], int(np.prod(shape))

    def body(parts: Buffer, *buffers: Buffer) -> None:
        steps, output = bind_operands(kernel.steps, buffers[:-1]), buffers[-1]
        with (
            T.launch_thread("blockIdx.x", -(-total // SUM_THREADS)) as block,
            T.launch_thread("threadIdx.x", SUM_THREADS) as thread,
        ):
            index = block * SUM_THREADS + thread
            n, c, at = index // plane // shape[1], index // plane % shape[1], index % plane
            with when(*([index < total] if total % SUM_THREADS else [])):
                sums = parts[0, 0, 0, 0, index]
                for split in range(1, kernel.splits):
                    sums = sums + parts[split, 0, 0, 0, index]
                _store(output, steps, sums, (n, c, at))

    return prim_func(params, body)


def _store(
    output: Buffer, steps: Sequence[Step[Operand]], sums: Expr, to: tuple[Expr, Expr, Expr]
) -> None:
    n, c, at = to
    value = apply_steps(steps, sums, n, c, at)
    if str(output.dtype) != "float32":
        value = tirx.Cast(str(output.dtype), value)
    T.buffer_store(output, value, [n, c, 0, at])


class _Block:
    """Emits the code of a block."""

    def __init__(
        self,
        kernel: GpuConv2d,
        data: Buffer,
        stored: dict[str, Buffer],
        operands: Sequence[Buffer],
        output: Buffer,
    ) -> None:
        self._kernel, self._data, self._stored, self._output = kernel, data, stored, output
        self._steps = bind_operands(kernel.steps, operands) if kernel.splits == 1 else []

    def emit(self) -> None:
        kernel, schedule, geometry = self._kernel, self._kernel.schedule, self._kernel.geometry
        down, across = schedule.tiles(geometry.out_size)
        with (
            T.launch_thread("blockIdx.y", geometry.batch * kernel.blocks * kernel.splits) as row,
            T.launch_thread("blockIdx.x", down * across) as at,
            T.launch_thread("threadIdx.y", schedule.warps) as warp,
            T.launch_thread("threadIdx.x", schedule.lanes) as lane,
            T.attr(0, RESIDENT, schedule.resident),
        ):
            split, block = row % kernel.splits, row // kernel.splits % kernel.blocks
            n = row // kernel.splits // kernel.blocks
            top, left = at // across * schedule.tile[0], at % across * schedule.tile[1]
            thread = warp * schedule.lanes + lane
            sums = self._zero_sums()
            begin, end, first = self._windows(block, split)
            at_lane = (thread, top, left, lane)
            walk = self._staged if schedule.staged else self._unstaged
            walk(n, block, at_lane, sums, (begin, end, first))
            self._finish(sums, n, split, block * schedule.warps + warp, lane, top, left)

    def _staged(
        self,
        n: Expr,
        block: Expr,
        place: tuple[Expr, Expr, Expr, Expr],
        sums: Sequence[Buffer],
        windows: tuple[Expr, Expr, Expr],
    ) -> None:
        """Brings one window after the other to shared memory, the next while one is computed."""
        begin, end, first = windows
        products, load, store = self._loads(n, block, place, sums)
        load(tirx.min(begin, int(self._stored["lists"].shape[1]) - 1), first)
        with T.serial(end - begin) as w:
            store()
            T.evaluate(T.tvm_storage_sync("shared"))
            load(tirx.min(begin + w + 1, end - 1), first)
            self._multiply(products, block, place[0])
            T.evaluate(T.tvm_storage_sync("shared"))

    def _unstaged(
        self,
        n: Expr,
        block: Expr,
        place: tuple[Expr, Expr, Expr, Expr],
        sums: Sequence[Buffer],
        windows: tuple[Expr, Expr, Expr],
    ) -> None:
        """Reads inputs, lists and weights where they are."""
        begin, end, first = windows
        kernel, s, (thread, top, left, lane) = self._kernel, self._kernel.schedule, place
        strip, lane_x = self._lane(lane)
        channel = T.alloc_buffer((1,), "int32", scope="local")
        inputs = CachedInputs(kernel.geometry, s, self._data, n, channel[0])
        inputs.place(top + strip * s.rows, left + lane_x * s.columns)
        with T.serial(end - begin) as w:
            T.buffer_store(channel, (first + begin + w) * s.window, [0])
            products = self._products(
                inputs,
                self._share("lists", block, begin + w),
                self._share("weight", block, begin + w),
                sums,
            )
            self._multiply(products, block, thread)

    def _share(self, name: str, block: Expr, window: Expr) -> Callable[[Expr], Expr]:
        """Returns what reads a block's share of an array for a window."""
        source = self._stored[name]
        unit = self._kernel.shares.unit if name == "weight" else 1
        begin = (block * int(source.shape[1]) + window) * (int(source.shape[2]) // unit)

        def read(at: Expr) -> Expr:
            if isinstance(at, Ramp):
                at = Ramp(at.base + begin * unit, 1, unit)
            else:
                at = at + begin * unit
            value = source[0, 0, at]
            wide = "float32" if unit == 1 else f"float32x{unit}"
            return tirx.Cast(wide, value) if str(source.dtype) == "float16" else value

        return read

    def _multiply(self, products: ListProducts, block: Expr, thread: Expr) -> None:
        """Emits the products of the warp's groups."""
        kernel, s = self._kernel, self._kernel.schedule
        for i in range(s.groups):
            position = thread // s.lanes * s.groups + i
            whole = kernel.fkw.groups % s.block_groups == 0
            inside = block * s.block_groups + position < kernel.fkw.groups
            with when(*([] if whole else [inside])):
                products.emit(position, i)

    def _products(
        self,
        inputs: LaneInputs,
        lists: Callable[[Expr], Expr],
        weight: Callable[[Expr], Expr],
        sums: Sequence[Buffer],
    ) -> ListProducts:
        kernel = self._kernel
        return ListProducts(
            window=kernel.geometry.window,
            schedule=kernel.schedule,
            patterns=kernel.fkw.patterns,
            group=kernel.fkw.group,
            unit=kernel.shares.unit,
            inputs=inputs,
            lists=lists,
            weight=weight,
            sums=sums,
        )

    def _zero_sums(self) -> list[Buffer]:
        kernel, s = self._kernel, self._kernel.schedule
        count = s.groups * kernel.fkw.group * s.rows * s.columns
        sums = [T.alloc_buffer((1,), "float32", scope="local") for _ in range(count)]
        for each in sums:
            T.buffer_store(each, T.float32(0), [0])
        return sums

    def _windows(self, block: Expr, split: Expr) -> tuple[Expr, Expr, Expr]:
        """Returns a split's windows, counted from the block's first, and that one."""
        shares, splits = self._kernel.shares, self._kernel.splits
        if shares.same_cuts:
            count = int(shares.cuts[0, -1])
            if splits == 1:
                return T.int32(0), T.int32(count), T.int32(0)
            return split * count // splits, (split + 1) * count // splits, T.int32(0)
        cuts = self._stored["cuts"]
        return cuts[block, split], cuts[block, split + 1], self._stored["first"][block]

    def _loads(
        self,
        n: Expr,
        block: Expr,
        place: tuple[Expr, Expr, Expr, Expr],
        sums: Sequence[Buffer],
    ) -> tuple[ListProducts, Callable[[Expr, Expr], None], Callable[[], None]]:
        """Allocates shared memory; returns what emits products, loads and stores."""
        thread, top, left, lane = place
        kernel, s, tile = self._kernel, self._kernel.schedule, self._kernel.tile
        stored, unit = self._stored, kernel.shares.unit
        inputs = T.alloc_buffer((s.window * tile.channel,), "float32", scope="shared")
        weight_of, lists_of = stored["weight"], stored["lists"]
        weight = T.alloc_buffer((int(weight_of.shape[2]),), "float32", scope="shared")
        lists = T.alloc_buffer((int(lists_of.shape[2]),), "int32", scope="shared")
        tiles = TileLoads(kernel.geometry, s, tile, self._data, inputs, n, kernel.shares.same_cuts)
        tiles.place(thread, top, left)
        wide = f"float32x{unit}" if unit > 1 else "float32"
        convert = (lambda v: v) if kernel.storage == "float32" else (lambda v: tirx.Cast(wide, v))
        arrays = [
            ArrayLoads(weight_of, weight, s, unit, convert),
            ArrayLoads(lists_of, lists, s, 1),
        ]

        def load(window: Expr, first: Expr) -> None:
            tiles.load(first + window)
            for array in arrays:
                array.load(thread, block, window)

        def store() -> None:
            tiles.store()
            for array in arrays:
                array.store(thread)

        strip, lane_x = self._lane(lane)
        of_lane = SharedInputs(
            tile=tile,
            columns=s.columns,
            inputs=inputs,
            lane=strip * ((tile.strip * tile.pitch + tile.skew) // s.columns) + lane_x,
        )
        products = self._products(of_lane, lists.__getitem__, weight.__getitem__, sums)
        return products, load, store

    def _lane(self, lane: Expr) -> tuple[Expr, Expr]:
        """Returns the strip of a lane, and its place in there; lanes without one do another's."""
        s = self._kernel.schedule
        if s.strips * s.lanes_x < s.lanes:
            lane = lane % (s.strips * s.lanes_x)
        return lane // s.lanes_x, lane % s.lanes_x

    def _finish(
        self,
        sums: Sequence[Buffer],
        n: Expr,
        split: Expr,
        warp: Expr,
        lane: Expr,
        top: Expr,
        left: Expr,
    ) -> None:
        """Stores the sums: with the epilogue, or as they are for ``sum_parts``."""
        kernel, s = self._kernel, self._kernel.schedule
        group, (height, width) = kernel.fkw.group, kernel.geometry.out_size
        strip, lane_x = self._lane(lane)
        used = [] if s.strips * s.lanes_x == s.lanes else [lane < s.strips * s.lanes_x]
        for i, f in itertools.product(range(s.groups), range(group)):
            first = warp * s.groups + i
            with when(first < kernel.fkw.groups, *used):
                channel = self._stored["reorder"][first * group + f]
                for r, c in itertools.product(range(s.rows), range(s.columns)):
                    y, x = top + strip * s.rows + r, left + lane_x * s.columns + c
                    value = sums[((i * group + f) * s.rows + r) * s.columns + c][0]
                    with when(y < height, x < width):
                        at = y * width + x
                        if kernel.splits > 1:
                            T.buffer_store(self._output, value, [split, n, channel, 0, at])
                        else:
                            _store(self._output, self._steps, value, (n, channel, at))
