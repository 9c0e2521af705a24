"""The inputs of some rows of outputs, copied as cells of four neighbouring columns.

That serves windows over a few channels, such as the first layer of a network: a product takes four
taps of a row of a kernel. A strip has, for each channel, row and output, the four bytes from its
first tap on; where the window is wider, the next four are the cell of an output further on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.byte_runs import Place, in_pieces, load_bytes, store_bytes
from te_schedules.cpu.int8.flat_strip import CELL, FlatStrip
from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.planes import LINE
from te_schedules.cpu.vector_code import Expr, shuffled
from te_schedules.window import Window

__all__ = ["ColumnStrip", "column_weight", "has_columns"]

MOVE = 16  # bytes that are read at a time, of which four cells are made
CELLS = 8  # that are stored at a time


def has_columns(layer: Int8Layer) -> bool:
    """Whether cells of columns are possible, and may waste less than those of channels."""
    window = layer.window
    steps = CELL % window.stride[1] == 0 and window.dilation == (1, 1)
    few = layer.depthwise or (layer.groups == 1 and layer.in_shape[1] % CELL > 0)
    return steps and window.taps[1] > 1 and few


def column_weight(weight: np.ndarray) -> np.ndarray:
    """Returns a weight as ``pack_cells`` takes it: its channels are places in a cell.

    Args:
        weight: (filters, channels, kh, kw) int8.

    Returns:
        (filters, channels * 4, kh, cells that kw columns take) int8.
    """
    filters, channels, height, width = weight.shape
    padded = np.pad(weight, ((0, 0), (0, 0), (0, 0), (0, -width % CELL)))
    cells = padded.reshape(filters, channels, height, -1, CELL).transpose(0, 1, 4, 2, 3)
    return np.ascontiguousarray(cells.reshape(filters, channels * CELL, height, -1))


@dataclass(frozen=True, kw_only=True)
class ColumnStrip:
    """Where a strip of cells has what.

    Attributes:
        rows: of outputs.
    """

    layer: Int8Layer
    instructions: Instructions
    rows: int

    @property
    def outputs(self) -> int:
        """From the first output to the last, with what is dropped."""
        return self._cells.outputs

    @property
    def own(self) -> bool:
        """Whether a strip has the channel of one filter, and is copied for each anew."""
        return self.layer.depthwise

    @property
    def planes(self) -> int:
        """Channels."""
        return 1 if self.own else self.layer.in_shape[1]

    @property
    def channel_bytes(self) -> int:
        """From a channel to the next."""
        return self._cells.channel_bytes

    @property
    def scratch(self) -> int:
        """Bytes of memory that copying needs besides the strip."""
        return self._source.channel_bytes + LINE

    @property
    def copy_operations(self) -> int:
        """Vector operations of ``copy_in``, about."""
        moves = self.planes * self._source_rows * -(-self._cells.pitch // CELLS)
        rows = self._source.copy_operations // self._source.planes * self.planes
        return rows + 3 * moves

    def start_of(self, tap: int) -> int:
        """Returns in which byte of a channel the inputs of a tap of ``column_weight`` begin."""
        return self._cells.start_of(tap)

    def copy_in(
        self, strip: Buffer, scratch: Buffer, data: Buffer, image: Expr, first: Expr
    ) -> None:
        """See ``FlatStrip``."""
        step = self.layer.window.stride[0]
        with T.serial(self.planes) as plane:
            self._source.copy_plane((scratch, 0), data, image, plane, first * step)
            self._make_rows((strip, plane * self.channel_bytes), scratch)

    def fill_borders(self, scratch: Buffer) -> None:
        """Emits what ``copy_own`` needs once for all channels."""
        self._source.fill_plane((scratch, 0))

    def copy_own(
        self,
        strip: Buffer,
        scratch: Buffer,
        data: Buffer,
        image: Expr,
        first: Expr,
        filter_: Expr,
    ) -> None:
        """Emits the copying of the channel that a filter reads."""
        step, layer = self.layer.window.stride[0], self.layer
        channel = filter_ // (layer.out_shape[1] // layer.groups)
        self._source.copy_inside((scratch, 0), data, image, channel, first * step)
        self._make_rows((strip, 0), scratch)

    def copy_out(
        self, staged: Place, scratch: Buffer, output: Buffer, plane: Expr, first: Expr
    ) -> None:
        """See ``FlatStrip``."""
        self._cells.copy_out(staged, scratch, output, plane, first)

    def copy_residual(
        self, staged: Place, scratch: Buffer, other: Buffer, plane: Expr, first: Expr
    ) -> None:
        """See ``FlatStrip``."""
        self._cells.copy_residual(staged, scratch, other, plane, first)

    def _make_rows(self, to: Place, scratch: Buffer) -> None:
        """Emits the copying of a channel's rows of inputs to rows of cells."""
        step, pitch = self.layer.window.stride[0], self._source.pitch
        for phase in range(min(step, self.layer.window.taps[0])):
            begin = to[1] + self._cells.tap(phase, 0)
            with T.serial(self._source_rows // step) as r:
                row = (scratch, (r * step + phase) * pitch)
                self._make_cells((to[0], begin + r * (self._cells.pitch * CELL)), row)

    def _make_cells(self, to: Place, row: Place) -> None:
        """Emits the copying of a row of inputs to a row of cells."""
        step = self.layer.window.stride[1]

        def emit(at: Expr, count: int) -> None:
            each = min(count, MOVE // CELL)
            starts = [row[1] + (at + part) * step for part in range(0, count, each)]
            loaded = [load_bytes((row[0], start), MOVE) for start in starts]
            order = [
                part * MOVE + i * step + j
                for part in range(len(loaded))
                for i in range(each)
                for j in range(CELL)
            ]
            store_bytes((to[0], to[1] + at * CELL), shuffled(loaded, order), count * CELL)

        in_pieces(self._cells.pitch, CELLS, emit)

    @property
    def _source_rows(self) -> int:
        """Rows of inputs, as many of each remainder."""
        step = self.layer.window.stride[0]
        return step * (self.rows + (self.layer.window.taps[0] - 1) // step)

    @cached_property
    def _cells(self) -> FlatStrip:
        """The places of cells: those of a window that is as wide as it has cells."""
        (height, width), (step_y, step_x) = self.layer.window.taps, self.layer.window.stride
        batch, channels, *size = self.layer.in_shape
        window = Window(
            (height, -(-width // CELL)), stride=(step_y, 1), dilation=(1, CELL // step_x)
        )
        layer = replace(
            self.layer,
            in_shape=(batch, channels * CELL, *size),  # type: ignore[arg-type]
            window=window,
        )
        return FlatStrip(layer=layer, instructions=self.instructions, rows=self.rows, cells=True)

    @cached_property
    def _source(self) -> FlatStrip:
        """The rows of inputs: those of a window of whole cells that does not step."""
        window, (batch, filters, height, width) = self.layer.window, self.layer.out_shape
        taps = (window.taps[0], -(-window.taps[1] // CELL) * CELL)
        layer = replace(
            self.layer,
            window=Window(taps, padding=window.padding),
            out_shape=(batch, filters, height, (width - 1) * window.stride[1] + 1),
        )
        rows = self._source_rows - window.taps[0] + 1
        return FlatStrip(layer=layer, instructions=self.instructions, rows=rows)
