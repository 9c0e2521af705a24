"""The inputs of some rows of outputs, copied so that every tap is one step away.

A *strip* holds what ``rows`` rows of outputs need of each channel, with its borders. Its rows
lie ``pitch`` apart, which is also how its outputs are counted: output (row, column) is number
row * pitch + column, and a tap's input is equally far from where the tap's inputs begin, for all
outputs at once. The few numbers between two rows are computed, and dropped. Where the window
steps over inputs, those of every remainder (*phase*) lie together.

    with cells:  the bytes of four neighbouring channels of a pixel lie beside each other
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tvm.tirx import And, Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.byte_runs import copy_run, fill_run, interleave_run
from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.planes import LINE, plane_bytes
from te_schedules.cpu.vector_code import Expr

__all__ = ["CELL", "FlatStrip"]

CELL = 4  # channels
ROW = 8  # operations of copying a row besides its vectors
RUN = 4  # the same of copying all rows as one


@dataclass(frozen=True, kw_only=True)
class FlatStrip:
    """Where a strip has what.

    Attributes:
        rows: of outputs.
        cells: see above.
    """

    layer: Int8Layer
    instructions: Instructions
    rows: int
    cells: bool = False

    @property
    def pitch(self) -> int:
        """From one row to the next, in pixels."""
        return self.layer.out_shape[3] + self._reach(1)

    @property
    def own(self) -> bool:
        """Whether a strip has the channel of one filter: it has all channels."""
        return False

    @property
    def outputs(self) -> int:
        """From the first output to the last, with what is dropped."""
        return (self.rows - 1) * self.pitch + self.layer.out_shape[3]

    @property
    def planes(self) -> int:
        """Channels, or cells of channels."""
        channels = self.layer.in_shape[1]
        return -(-channels // CELL) if self.cells else channels

    @property
    def channel_bytes(self) -> int:
        """From a channel, or cell, to the next."""
        return (-(-self._phase_bytes * self._phases // LINE) | 1) * LINE

    @property
    def scratch(self) -> int:
        """Bytes of memory that copying needs besides the strip."""
        return LINE

    @property
    def copy_operations(self) -> int:
        """Vector operations of ``copy_in``, about."""
        size = self.instructions.bytes
        if self.layer.pointwise:
            return self.planes * (RUN + 2 * -(-self.outputs * self._unit // size))
        rows = self.planes * self._phases * self._phase_rows
        return rows * (ROW + 2 * -(-self.pitch * self._unit // size))

    def tap(self, y: int, x: int) -> int:
        """Returns in which byte of a channel, or cell, the inputs of a tap begin."""
        (sy, sx), (dy, dx) = self.layer.window.stride, self.layer.window.dilation
        across = self._remainders(1)
        phase = self._remainders(0).index(y * dy % sy) * len(across) + across.index(x * dx % sx)
        pixel = y * dy // sy * self.pitch + x * dx // sx
        return phase * self._phase_bytes + pixel * self._unit

    def start_of(self, tap: int) -> int:
        """Returns in which byte the inputs of a tap begin, of all taps row by row."""
        return self.tap(*divmod(tap, self.layer.window.taps[1]))

    def copy_in(
        self, strip: Buffer, scratch: Buffer, data: Buffer, image: Expr, first: Expr
    ) -> None:
        """Emits the copying of a strip.

        Args:
            scratch: of so many bytes.
            image: number in the batch.
            first: first row of outputs.
        """
        with T.serial(self.planes) as plane:
            self.copy_plane((strip, plane * self.channel_bytes), data, image, plane, first)

    def copy_plane(
        self, to: tuple[Buffer, Expr], data: Buffer, image: Expr, plane: Expr, first: Expr
    ) -> None:
        """Emits the copying of a channel, or cell: number ``plane``."""
        if self.layer.pointwise:
            width = self.layer.in_shape[3]
            self._copy_pixels(to, data, image, plane, first * width, self.outputs)
            return
        (sy, _), (before, _) = self.layer.window.stride, self.layer.window.padding
        number = 0
        for y in self._remainders(0):
            for x in self._remainders(1):
                with T.serial(self._phase_rows) as r:
                    at = to[1] + number * self._phase_bytes + r * self.pitch * self._unit
                    row = (first + r) * sy + y - before
                    self._copy_row((to[0], at), data, image, plane, row, x)
                number += 1

    def fill_plane(self, to: tuple[Buffer, Expr]) -> None:
        """Emits the filling of a channel, or cell, with the zero point."""
        self._fill(to, 0, self._phase_bytes * self._phases // self._unit)

    def copy_inside(
        self, to: tuple[Buffer, Expr], data: Buffer, image: Expr, plane: Expr, first: Expr
    ) -> None:
        """Emits the copying of what is inside the plane: what is outside is filled already.

        The window does not step over inputs.
        """
        (_, _, height, width), (above, before) = self.layer.in_shape, self.layer.window.padding[:2]
        begin, end = self._inside(-before)
        low = T.max(above - first, 0)
        high = T.min(height + above - first, self._phase_rows)
        with T.serial(T.max(high - low, 0)) as i:
            at = to[1] + ((low + i) * self.pitch + begin) * self._unit
            pixel = (first + low + i - above) * width + begin - before
            self._copy_pixels((to[0], at), data, image, plane, pixel, end - begin)

    def copy_out(
        self, staged: tuple[Buffer, Expr], scratch: Buffer, output: Buffer, plane: Expr, first: Expr
    ) -> None:
        """Emits the copying of a filter's outputs, as they are counted, to their plane."""

        def emit(at: Expr, there: Expr, count: int) -> None:
            source = (staged[0], staged[1] + at)
            copy_run((output, there), source, count, self.instructions.bytes)

        self._each_row(emit, plane, first)

    def copy_residual(
        self, staged: tuple[Buffer, Expr], scratch: Buffer, other: Buffer, plane: Expr, first: Expr
    ) -> None:
        """Emits the opposite of ``copy_out``."""

        def emit(at: Expr, there: Expr, count: int) -> None:
            target = (staged[0], staged[1] + at)
            copy_run(target, (other, there), count, self.instructions.bytes)

        self._each_row(emit, plane, first)

    def _each_row(self, emit: Callable[[Expr, Expr, int], None], plane: Expr, first: Expr) -> None:
        """Emits code for each row: its first output, its place in the tensor, its length."""
        width, to = self.layer.out_shape[3], plane * plane_bytes(self.layer.out_pixels)
        if self.pitch == width:
            emit(0, to + first * width, self.rows * width)
            return
        with T.serial(self.rows) as r:
            emit(r * self.pitch, to + (first + r) * width, width)

    @property
    def _unit(self) -> int:
        return CELL if self.cells else 1

    @property
    def _phase_rows(self) -> int:
        return self.rows + self._reach(0)

    @property
    def _phase_bytes(self) -> int:
        return self._phase_rows * self.pitch * self._unit

    @property
    def _phases(self) -> int:
        return len(self._remainders(0)) * len(self._remainders(1))

    def _reach(self, axis: int) -> int:
        """How many rows or columns further than the output's, of a phase, taps reach."""
        window = self.layer.window
        return (window.taps[axis] - 1) * window.dilation[axis] // window.stride[axis]

    def _remainders(self, axis: int) -> list[int]:
        window = self.layer.window
        taps = range(window.taps[axis])
        return sorted({tap * window.dilation[axis] % window.stride[axis] for tap in taps})

    def _copy_row(
        self, to: tuple[Buffer, Expr], data: Buffer, image: Expr, plane: Expr, row: Expr, phase: int
    ) -> None:
        """Emits the copying of a row of a phase; what is outside the plane is its zero point."""
        (_, _, height, width), window = self.layer.in_shape, self.layer.window
        stride, shift = window.stride[1], phase - window.padding[1]
        begin, end = self._inside(shift)
        with T.If(And(row >= 0, row < height)):
            with T.Then():
                self._fill(to, 0, begin)
                at = row * width + begin * stride + shift
                self._copy_pixels(
                    _behind(to, begin * self._unit), data, image, plane, at, end - begin
                )
                self._fill(to, end, self.pitch)
            with T.Else():
                self._fill(to, 0, self.pitch)

    def _inside(self, shift: int) -> tuple[int, int]:
        """Returns the first column inside the plane, and the first behind it, of a phase."""
        width, stride = self.layer.in_shape[3], self.layer.window.stride[1]
        begin = min(self.pitch, max(0, -(shift // stride)))
        return begin, min(self.pitch, max(begin, (width - 1 - shift) // stride + 1))

    def _fill(self, to: tuple[Buffer, Expr], begin: int, end: int) -> None:
        length, value = (end - begin) * self._unit, self.layer.in_zero ^ self.instructions.flip
        fill_run(_behind(to, begin * self._unit), length, self.instructions.bytes, value)

    def _copy_pixels(
        self, to: tuple[Buffer, Expr], data: Buffer, image: Expr, plane: Expr, at: Expr, count: int
    ) -> None:
        channels, apart = self.layer.in_shape[1], plane_bytes(self.layer.in_pixels)
        stride, flip = self.layer.window.stride[1], self.instructions.flip
        # what stands for channels that there are not has weights 0
        own = (
            [T.min(plane * CELL + i, channels - 1) for i in range(CELL)] if self.cells else [plane]
        )
        sources = [(data, (image * channels + each) * apart + at) for each in own]
        if self.cells:
            interleave_run(to, sources, count, stride, flip)
        else:
            copy_run(to, sources[0], count, self.instructions.bytes, stride, flip)


def _behind(place: tuple[Buffer, Expr], by: int) -> tuple[Buffer, Expr]:
    return place[0], place[1] + by
