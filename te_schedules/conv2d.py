"""Convolution over kernels stored as FKW, in the lane-blocked layout.

One generator serves every convolution: pattern-pruned (a short list of kernels for each
filter and pattern), connectivity-pruned 1x1 (patterns of one tap), dense (one pattern with
all taps, its list shared by a group of filters) and depthwise (one kernel for each filter).
The loops are the paper's: filter, pattern, kernel (PatDNN, section 5.4); the sums of a tile
stay in registers for a whole filter, and each input vector of a tile is loaded once for
all taps that need it (load redundancy elimination).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tvm import tirx
from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.epilogue import Step
from te_schedules.lane_layout import LaneLayout
from te_schedules.tile_store import Operand, OperandSpec, TileStore, operand_params
from te_schedules.tiling import Tiling
from te_schedules.vector_code import Expr, VectorCode, prim_func
from tvm_patdnn.fkw import FKW
from tvm_patdnn.patterns import Pattern

__all__ = ["Conv2dGeometry", "conv2d", "conv2d_constants"]


@dataclass(frozen=True, kw_only=True)
class Conv2dGeometry:
    """Where the taps of a convolution lie; all pairs are (y, x).

    Attributes:
        in_layout, out_layout: the same split; in_layout has ``stride`` times the steps.
        padding: zeros before the first row and column.
    """

    batch: int
    in_channels: int
    out_channels: int
    in_layout: LaneLayout
    out_layout: LaneLayout
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)


def conv2d_constants(fkw: FKW, chunks: int) -> list[np.ndarray]:
    """Returns the constants that ``conv2d`` takes, in order."""
    return [*fkw.structure, fkw.weight, fkw.balanced_chunks(chunks)]


def conv2d(
    geometry: Conv2dGeometry,
    fkw: FKW,
    schedule: Conv2dSchedule,
    steps: Sequence[Step] = (),
    operands: Sequence[OperandSpec] = (),
) -> PrimFunc:
    """Generates the kernel (input, *conv2d_constants, *operands, output).

    Args:
        fkw: gives the patterns and the sizes of the arrays; the weights are arguments.
        steps: the epilogue, with one of ``operands`` for each step that has one.
    """
    constants = conv2d_constants(fkw, schedule.chunks)
    names = ("reorder", "offset", "weight_offset", "stride", "index", "weight", "chunk")
    out_shape = geometry.out_layout.shape(geometry.batch, geometry.out_channels)
    params: list[tuple[str, tuple[int, ...], str]] = [
        ("data", geometry.in_layout.shape(geometry.batch, geometry.in_channels), "float32")
    ]
    params += [
        (name, array.shape, str(array.dtype)) for name, array in zip(names, constants, strict=True)
    ]
    params += operand_params(operands, geometry.out_channels)
    params.append(("output", out_shape, "float32"))

    def body(data: Buffer, *buffers: Buffer) -> None:
        stored = dict(zip(names, buffers, strict=False))
        extra = buffers[len(names) : -1]
        store = TileStore(
            code=VectorCode(geometry.out_layout.lanes),
            output=buffers[-1],
            layout=geometry.out_layout,
            rows=Tiling(geometry.out_layout.steps_y, schedule.rows),
            columns=Tiling(geometry.out_layout.steps_x, schedule.vectors),
            steps=steps,
            operands=[
                Operand(buffer, spec.layout) for buffer, spec in zip(extra, operands, strict=True)
            ],
        )
        _Conv2d(geometry, fkw, schedule, store).emit(data, stored)

    return prim_func(params, body)


class _Conv2d:
    """Emits one kernel; holds what all its loops share."""

    def __init__(
        self,
        geometry: Conv2dGeometry,
        fkw: FKW,
        schedule: Conv2dSchedule,
        store: TileStore,
    ) -> None:
        self.geometry, self.fkw = geometry, fkw
        self.patterns, self.group = fkw.patterns, fkw.group
        self.schedule, self.store, self.code = schedule, store, store.code

    def emit(self, data: Buffer, stored: dict[str, Buffer]) -> None:
        rows, columns, chunks = self.store.rows, self.store.columns, self.schedule.chunks
        tiles = rows.count * columns.count
        inner = {Outer.TILE: 1, Outer.ROW: columns.count, Outer.PLANE: tiles}[self.schedule.outer]
        blocks = tiles // inner
        with T.parallel(self.geometry.batch * blocks * chunks) as task:
            self._allocate()
            chunk, block, n = task % chunks, task // chunks % blocks, task // (chunks * blocks)
            first, last = stored["chunk"][chunk], stored["chunk"][chunk + 1]
            with (
                T.serial(self.fkw.windows) as window,
                T.serial(last - first) as i,
                T.serial(inner) as t,
            ):
                tile = block * inner + t
                row, column = rows.start(tile // columns.count), columns.start(tile % columns.count)
                self._begin_sums(window, i)
                self._filter_group(data, stored, window, first + i, n, row, column)
                self._end_sums(stored, window, i, first + i, n, row, column)

    def _allocate(self) -> None:
        tile = list(itertools.product(range(self.schedule.rows), range(self.schedule.vectors)))
        self.sums = [
            dict(zip(tile, self.code.registers(len(tile)), strict=True)) for _ in range(self.group)
        ]
        if self.fkw.windows > 1:
            most = int(np.diff(self.fkw.balanced_chunks(self.schedule.chunks)).max())
            values = most * self.group * len(tile) * self.code.lanes
            self.partial = T.alloc_buffer((values,), "float32")
        held = max((len(p) for p in self.patterns), default=1)
        if self.schedule.hold is Hold.WEIGHTS:
            self.weights = self.code.registers(held * self.group)
            self.inputs = self.code.registers(1)
            return
        self.weights = self.code.registers(1)
        self.inputs = self.code.registers(self._input_columns())

    def _input_columns(self) -> int:
        """Vectors of an input row that a tile can touch."""
        width = max((p.kernel_shape[1] for p in self.patterns), default=1)
        stride, dilation = self.geometry.stride[1], self.geometry.dilation[1]
        return (self.schedule.vectors - 1) * stride + (width - 1) * dilation + 1

    def _filter_group(
        self,
        data: Buffer,
        stored: dict[str, Buffer],
        window: Expr,
        g: Expr,
        n: Expr,
        row: Expr,
        column: Expr,
    ) -> None:
        """Adds the products of a group's kernels in a window to the sums."""
        slot = window * self.fkw.groups + g
        stride, padding = self.geometry.stride, self.geometry.padding
        corner = self.geometry.in_layout.offset(
            row * stride[0] - padding[0], column * stride[1] - padding[1]
        )
        for p, pattern in enumerate(self.patterns):
            begin = tirx.Cast("int32", stored["stride"][slot, p])
            count = tirx.Cast("int32", stored["stride"][slot, p + 1]) - begin
            first_weight = stored["weight_offset"][slot] + self._weights_before(stored, slot, p)
            with T.serial(count) as k:
                channel = tirx.Cast("int32", stored["index"][stored["offset"][slot] + begin + k])
                weight = first_weight + k * (len(pattern) * self.group)
                self._kernel(pattern, data, stored["weight"], n, channel, corner, weight)

    def _begin_sums(self, window: Expr, i: Expr) -> None:
        """Sets the sums of the chunk's i-th group to zero, or to what earlier windows gave."""
        sums = [register for tile in self.sums for register in tile.values()]
        if self.fkw.windows == 1:
            for register in sums:
                self.code.set(register, self.code.broadcast(0.0))
            return
        with T.If(window == 0):
            with T.Then():
                for register in sums:
                    self.code.set(register, self.code.broadcast(0.0))
            with T.Else():
                for s, register in enumerate(sums):
                    at = (i * len(sums) + s) * self.code.lanes
                    self.code.set(register, self.code.load(self.partial, at))

    def _end_sums(
        self,
        stored: dict[str, Buffer],
        window: Expr,
        i: Expr,
        g: Expr,
        n: Expr,
        row: Expr,
        column: Expr,
    ) -> None:
        """Stores the sums: to the output after the last window, else for the next one."""
        if self.fkw.windows == 1:
            self._store_group(stored, g, n, row, column)
            return
        sums = [register for tile in self.sums for register in tile.values()]
        with T.If(window == self.fkw.windows - 1):
            with T.Then():
                self._store_group(stored, g, n, row, column)
            with T.Else():
                for s, register in enumerate(sums):
                    at = (i * len(sums) + s) * self.code.lanes
                    self.code.store(self.partial, self.code.get(register), at)

    def _store_group(
        self, stored: dict[str, Buffer], g: Expr, n: Expr, row: Expr, column: Expr
    ) -> None:
        for f, sums in enumerate(self.sums):
            c = tirx.Cast("int32", stored["reorder"][g * self.group + f])
            self.store.emit(sums, n, c, row, column)

    def _weights_before(self, stored: dict[str, Buffer], slot: Expr, p: int) -> Expr:
        """Returns how many weights the group's kernels of earlier patterns have."""
        starts = [tirx.Cast("int32", stored["stride"][slot, q]) for q in range(p + 1)]
        sizes = [len(pattern) * self.group for pattern in self.patterns[: p + 1]]
        before = starts[p] * sizes[p]
        for q in range(p):
            if sizes[q] != sizes[p]:
                before = before + (starts[q + 1] - starts[q]) * (sizes[q] - sizes[p])
        return before

    def _kernel(
        self,
        pattern: Pattern,
        data: Buffer,
        weight: Buffer,
        n: Expr,
        channel: Expr,
        corner: Expr,
        at: Expr,
    ) -> None:
        """Adds the products of one kernel, or of one for each filter of a group."""
        reads = self._reads(pattern)
        row_values = self.geometry.in_layout.row_vectors * self.code.lanes

        def load(row: int, column: int) -> Expr:
            place = corner + (row * row_values + column * self.code.lanes)
            return self.code.load(data, n, channel, place)

        def broadcast(tap: int, f: int) -> Expr:
            return self.code.broadcast(weight[at + (tap * self.group + f)])

        if self.schedule.hold is Hold.WEIGHTS:
            for tap, f in itertools.product(range(len(pattern)), range(self.group)):
                self.code.set(self.weights[tap * self.group + f], broadcast(tap, f))
            for (row, column), uses in reads.items():
                self.code.set(self.inputs[0], load(row, column))
                for (tap, place), f in itertools.product(uses, range(self.group)):
                    self._multiply_add(f, place, self.weights[tap * self.group + f], self.inputs[0])
            return
        for row, in_row in itertools.groupby(reads.items(), key=lambda read: read[0][0]):
            uses_of_tap: dict[int, list[tuple[tuple[int, int], int]]] = {}
            for (_, column), uses in in_row:
                self.code.set(self.inputs[column], load(row, column))
                for tap, place in uses:
                    uses_of_tap.setdefault(tap, []).append((place, column))
            for (tap, products), f in itertools.product(uses_of_tap.items(), range(self.group)):
                self.code.set(self.weights[0], broadcast(tap, f))
                for place, column in products:
                    self._multiply_add(f, place, self.weights[0], self.inputs[column])

    def _multiply_add(self, f: int, place: tuple[int, int], weight: Buffer, value: Buffer) -> None:
        register = self.sums[f][place]
        product = self.code.get(weight) * self.code.get(value)
        self.code.set(register, self.code.get(register) + product)

    def _reads(self, pattern: Pattern) -> dict[tuple[int, int], list[tuple[int, tuple[int, int]]]]:
        """Returns for each input vector of the tile which tap and output it serves."""
        return tile_reads(
            pattern,
            self.schedule.rows,
            self.schedule.vectors,
            self.geometry.stride,
            self.geometry.dilation,
        )


def tile_reads(
    pattern: Pattern,
    rows: int,
    vectors: int,
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> dict[tuple[int, int], list[tuple[int, tuple[int, int]]]]:
    """Returns for each input vector (row, column) of a tile its uses (tap, output)."""
    reads: dict[tuple[int, int], list[tuple[int, tuple[int, int]]]] = {}
    for r, v in itertools.product(range(rows), range(vectors)):
        for tap, (y, x) in enumerate(pattern.taps):
            at = (r * stride[0] + y * dilation[0], v * stride[1] + x * dilation[1])
            reads.setdefault(at, []).append((tap, (r, v)))
    return dict(sorted(reads.items()))
