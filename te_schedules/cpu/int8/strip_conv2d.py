"""Convolution of bytes: inputs are copied strip by strip, multiplied by fours, and requantised.

Threads share out strips, and where there are too few, groups of filters, too. What a group of
filters makes of a strip is staged before it is copied to the planes, but for 1x1 layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tvm.tirx import Buffer, Cast, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.byte_runs import store_bytes
from te_schedules.cpu.int8.cell_products import CellProducts
from te_schedules.cpu.int8.column_strip import ColumnStrip
from te_schedules.cpu.int8.layer_frame import layer_frame
from te_schedules.cpu.int8.planes import LINE, plane_bytes
from te_schedules.cpu.int8.requantise import PACKED, bytes_of, steps_of
from te_schedules.cpu.int8.staged_residual import staged_residual
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from te_schedules.cpu.int8.sums import EntryPlace, Sums
from te_schedules.cpu.vector_code import Expr, prim_func

__all__ = ["strip_conv2d"]


def strip_conv2d(kernel: StripConv2d) -> PrimFunc:
    """Generates the kernel (data, *constants, residual if there is one, output)."""

    def emit(
        data: Buffer, arrays: Mapping[str, Buffer], other: Buffer | None, output: Buffer
    ) -> None:
        _Emission(kernel, data, arrays, other, output).emit()

    return prim_func(*layer_frame(kernel.layer, kernel.constants, emit, rows=True))


@dataclass(frozen=True, eq=False)
class _Emission:
    """Emits the code of a kernel, given its buffers."""

    kernel: StripConv2d
    data: Buffer
    arrays: Mapping[str, Buffer]
    other: Buffer | None
    output: Buffer

    def emit(self) -> None:
        """Emits all of it."""
        kernel, strip, layer = self.kernel, self.kernel.strip, self.kernel.layer
        with T.parallel(layer.in_shape[0] * kernel.strips * kernel.chunks) as task:
            chunk, rest = task % kernel.chunks, task // kernel.chunks
            first = T.min(rest % kernel.strips * strip.rows, layer.out_shape[2] - strip.rows)
            image = rest // kernel.strips
            work = _Work(kernel)
            if isinstance(strip, ColumnStrip) and strip.own:
                strip.fill_borders(work.scratch)
            else:
                strip.copy_in(work.inputs, work.scratch, self.data, image, first)
            begin = self.arrays["chunk"][chunk]
            with T.serial(self.arrays["chunk"][chunk + 1] - begin) as i:
                self._emit_group(work, begin + i, image, first)

    def _emit_group(self, work: _Work, group: Expr, image: Expr, row: Expr) -> None:
        """Emits what a group of filters computes of a strip."""
        kernel, strip, layer = self.kernel, self.kernel.strip, self.kernel.layer
        first = T.min(group * kernel.group, layer.out_shape[1] - kernel.group)
        plane = [image * layer.out_shape[1] + self._filter(first + f) for f in range(kernel.group)]
        if isinstance(strip, ColumnStrip) and strip.own:
            strip.copy_own(work.inputs, work.scratch, self.data, image, row, first)
        if not kernel.stages:
            self._emit_pixels(work, group, first, plane, row)
            return
        for f in range(kernel.group if self.other is not None else 0):
            staged = (work.staged, f * work.stage)
            strip.copy_residual(staged, work.scratch, self.other, plane[f], row)
        other = None if self.other is None else work.staged
        with T.serial(kernel.tiles) as t:
            at = t * kernel.tile_pixels
            self._emit_sums(work, group, first, at)
            for f in range(kernel.group):
                self._emit_bytes(work, f, first, work.staged, other, at + f * work.stage)
        for f in range(kernel.group):
            staged = (work.staged, f * work.stage)
            strip.copy_out(staged, work.scratch, self.output, plane[f], row)

    def _emit_pixels(
        self, work: _Work, group: Expr, first: Expr, planes: Sequence[Expr], row: Expr
    ) -> None:
        """Emits the same where outputs are stored to their planes at once."""
        kernel, strip, layer = self.kernel, self.kernel.strip, self.kernel.layer
        begin = row * layer.out_shape[3]
        with T.serial(kernel.tiles) as t:
            at = T.min(t * kernel.tile_pixels, strip.outputs - kernel.tile_pixels)
            self._emit_sums(work, group, first, at)
            for f, plane in enumerate(planes):
                to = plane * plane_bytes(layer.out_pixels) + begin + at
                self._emit_bytes(work, f, first, self.output, self.other, to)

    def _filter(self, number: Expr) -> Expr:
        """Returns which filter of the layer one is, in the order of groups."""
        filters = self.arrays.get("filter")
        return number if filters is None else Cast("int32", filters[number])

    def _emit_sums(self, work: _Work, group: Expr, first: Expr, at: Expr) -> None:
        products, arrays = self.kernel.products, self.arrays
        own = [arrays[name] for name in products.constants]
        work.sums.start(arrays["bias"], first)
        begin, end = arrays["offset"][group], arrays["offset"][group + 1]
        alone = begin
        if isinstance(products, CellProducts) and products.quads.coupled is not None:
            alone = arrays["coupled"][group]
            with T.serial((alone - begin) // 2) as i:
                for which in range(2):
                    work.sums.load_weights(arrays["weight"], begin + 2 * i + which, which)
                place = EntryPlace(begin + 2 * i, 2 * i, group)
                products.emit_couple(work.sums, work.inputs, own, place, at)
        for rank in range(products.unrolled):
            work.sums.load_weights(arrays["weight"], begin + rank)
            place = EntryPlace(begin + rank, rank, group)
            products.emit(work.sums, work.inputs, own, place, at)
        alone = alone + products.unrolled
        with T.serial(end - alone) as n:
            work.sums.load_weights(arrays["weight"], alone + n)
            place = EntryPlace(alone + n, alone - begin + n, group)
            products.emit(work.sums, work.inputs, own, place, at)

    def _emit_bytes(
        self, work: _Work, f: int, first: Expr, output: Buffer, other: Buffer | None, at: Expr
    ) -> None:
        """Emits the requantisation of a filter's sums.

        Args:
            other: has the residual.
            at: the place of a tile's first pixel in ``output`` and ``other``.
        """
        products, store, sums = self.kernel.products, self.kernel.layer.store, work.sums
        lanes = sums.instructions.lanes
        factor = sums.factor(self.arrays["scale"], first + f)
        for loads in _batches(self.kernel.tile, max(1, PACKED // products.vectors)):
            vectors = [each for load in loads for each in sums.take(f, load)]
            order = _repeated(products.order, len(loads))
            to = at + loads[0] * len(products.order)
            added = None if other is None else staged_residual((other, to), order, lanes)
            steps = steps_of(store, vectors, factor, lanes, added)
            made = bytes_of(store, steps, order, sums.instructions.pack)
            store_bytes((output, to), made, len(order))


class _Work:
    """The memory of a thread, and the sums in its registers."""

    def __init__(self, kernel: StripConv2d) -> None:
        strip = kernel.strip
        self.stage = kernel.tiles * kernel.tile_pixels
        room = 4 * kernel.tile_pixels + LINE  # that tiles, and moves, may reach behind their end
        self.inputs = _bytes(strip.planes * strip.channel_bytes + room)
        if kernel.stages:
            self.staged = _bytes(kernel.group * self.stage + LINE)
        self.scratch = _bytes(strip.scratch)
        self.sums = Sums(
            instructions=strip.instructions,
            group=kernel.group,
            tile=kernel.tile,
            vectors=kernel.products.vectors,
            coupled=kernel.products.quads.coupled is not None,
        )
        self.sums.allocate()


def _bytes(size: int) -> Buffer:
    return T.alloc_buffer((size,), "uint8")


def _batches(loads: int, size: int) -> list[range]:
    return [range(first, min(first + size, loads)) for first in range(0, loads, size)]


def _repeated(order: Sequence[int], times: int) -> list[int]:
    """Returns ``order`` for so many loads, one behind the other."""
    return [i * len(order) + lane for i in range(times) for lane in order]
