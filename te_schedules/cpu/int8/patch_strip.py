"""The inputs of some rows of outputs, copied as the patches of which ``permute`` takes taps.

Patches follow each other row by row, and so do the outputs that are counted: ``outs`` of each
patch, of which the last may be unused. What is copied goes through rows in a small memory:
there all borders are filled in, and moves may be longer than what they move.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.byte_runs import Place, copy_run
from te_schedules.cpu.int8.flat_strip import FlatStrip
from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.patch_moves import MOVE, PatchMoves
from te_schedules.cpu.int8.patch_shape import PatchShape
from te_schedules.cpu.int8.planes import LINE, plane_bytes
from te_schedules.cpu.vector_code import Expr
from te_schedules.window import Window

__all__ = ["PatchStrip"]


@dataclass(frozen=True, kw_only=True)
class PatchStrip:
    """Where a strip of patches has what.

    Attributes:
        rows: of outputs.
    """

    layer: Int8Layer
    instructions: Instructions
    rows: int
    shape: PatchShape

    @property
    def own(self) -> bool:
        """Whether a strip has the channel of one filter: it has all channels."""
        return False

    @property
    def outputs(self) -> int:
        """All that are counted."""
        return self._down * self._across * self.shape.outs

    @property
    def planes(self) -> int:
        """Channels."""
        return self.layer.in_shape[1]

    @property
    def channel_bytes(self) -> int:
        """From a channel to the next."""
        return (-(-self._down * self._across * self.shape.size // LINE) | 1) * LINE

    @property
    def scratch(self) -> int:
        """Bytes of memory that copying needs besides the strip."""
        out_rows = self._down * self.shape.rows * self._out_pitch
        return max(self._source.channel_bytes, out_rows) + 2 * LINE

    @property
    def copy_operations(self) -> int:
        """Vector operations of ``copy_in``, about."""
        each = 3 if self.shape.size == MOVE else 2 * self.shape.in_rows
        patches = self.planes * self._down * self._across
        return self._source.copy_operations + patches * each

    def copy_in(
        self, strip: Buffer, scratch: Buffer, data: Buffer, image: Expr, first: Expr
    ) -> None:
        """See ``FlatStrip``."""
        shape, moves = self.shape, self._moves(self._source.pitch)
        with T.serial(self.planes) as plane:
            self._source.copy_plane((scratch, 0), data, image, plane, first * shape.stride)
            with T.serial(self._down) as down:
                to = plane * self.channel_bytes + down * (self._across * shape.size)
                here = down * (shape.rows * shape.stride * self._source.pitch)
                moves.fill((strip, to), (scratch, here))

    def copy_out(
        self, staged: Place, scratch: Buffer, output: Buffer, plane: Expr, first: Expr
    ) -> None:
        """See ``FlatStrip``."""
        moves = self._moves(self._out_pitch)
        whole = (self.rows, self.layer.out_shape[3])
        if moves.takes_exactly and whole == self._covered:
            self._take_rows(staged, output, plane, first)
            return
        with T.serial(self._down) as down:
            moves.take((scratch, down * self._row_bytes), self._patches(staged, down))
        with T.serial(self.rows) as r:
            row = (scratch, r * self._out_pitch)
            copy_run((output, self._place(plane, first + r)), row, *self._row_of_output)

    def _take_rows(self, staged: Place, output: Buffer, plane: Expr, first: Expr) -> None:
        """Emits the copying of outputs that are those of whole patches, straight to their plane."""
        moves = self._moves(self.layer.out_shape[3])
        with T.serial(self._down) as down:
            to = self._place(plane, first + down * self.shape.rows)
            moves.take((output, to), self._patches(staged, down))

    def copy_residual(
        self, staged: Place, scratch: Buffer, other: Buffer, plane: Expr, first: Expr
    ) -> None:
        """See ``FlatStrip``."""
        moves = self._moves(self._out_pitch)
        with T.serial(self.rows) as r:
            row = (scratch, r * self._out_pitch)
            copy_run(row, (other, self._place(plane, first + r)), *self._row_of_output)
        with T.serial(self._down) as down:
            moves.give(self._patches(staged, down), (scratch, down * self._row_bytes))

    def _moves(self, pitch: int) -> PatchMoves:
        return PatchMoves(shape=self.shape, across=self._across, pitch=pitch)

    def _patches(self, staged: Place, down: Expr) -> Place:
        return staged[0], staged[1] + down * (self._across * self.shape.outs)

    def _place(self, plane: Expr, row: Expr) -> Expr:
        """Returns where a row of the output begins."""
        return plane * plane_bytes(self.layer.out_pixels) + row * self.layer.out_shape[3]

    @property
    def _row_of_output(self) -> tuple[int, int]:
        return self.layer.out_shape[3], self.instructions.bytes

    @property
    def _down(self) -> int:
        return -(-self.rows // self.shape.rows)

    @property
    def _across(self) -> int:
        return -(-self.layer.out_shape[3] // self.shape.columns)

    @property
    def _covered(self) -> tuple[int, int]:
        """Rows and columns of outputs that patches are for."""
        return self._down * self.shape.rows, self._across * self.shape.columns

    @property
    def _out_pitch(self) -> int:
        """From one row of outputs to the next, with room for moves."""
        return -(-self._across * self.shape.columns // MOVE) * MOVE + MOVE

    @property
    def _row_bytes(self) -> int:
        return self.shape.rows * self._out_pitch

    @cached_property
    def _source(self) -> FlatStrip:
        """The rows of inputs: those of a window that does not step."""
        layer, step = self.layer, self.shape.stride
        batch, filters, height, width = layer.out_shape
        return FlatStrip(
            layer=replace(
                layer,
                window=Window(layer.window.taps, padding=layer.window.padding),
                out_shape=(batch, filters, (height - 1) * step + 1, (width - 1) * step + 1),
            ),
            instructions=self.instructions,
            rows=(self._down * self.shape.rows - 1) * step + 1,
        )
