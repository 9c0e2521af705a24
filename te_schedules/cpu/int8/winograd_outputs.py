"""The transforms of a block's sums to results, and these as bytes of their planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.byte_runs import copy_run, store_bytes
from te_schedules.cpu.int8.planes import LINE, plane_bytes
from te_schedules.cpu.int8.requantise import bytes_of, steps_of
from te_schedules.cpu.int8.staged_residual import staged_residual
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from te_schedules.cpu.linear_map import emit_linear_map
from te_schedules.cpu.vector_code import Expr, VectorCode, when

__all__ = ["TileOutputs"]


@dataclass(frozen=True, eq=False)
class TileOutputs:
    """Emits the bytes of filters.

    Attributes:
        staged: those of one filter, row by row of a tile, with what is dropped.
        bias, scale: constants of the kernel.
        other: the residual's planes, a row of bytes.
        output: the same of the result.
    """

    conv: TileConv2d
    staged: Buffer
    bias: Buffer
    scale: Buffer
    other: Buffer | None
    output: Buffer

    @staticmethod
    def stage(conv: TileConv2d) -> Buffer:
        """Emits the memory of ``staged``."""
        return T.alloc_buffer((conv.schedule.height * _row_bytes(conv) + LINE,), "uint8")

    def emit(self, sums: Buffer, own: Expr, number: Expr, image: Expr, first: Expr) -> None:
        """Emits all bytes of a filter.

        Args:
            sums: see ``multiply``.
            own: the filter's number among those of the chunk.
            number: among all.
            image: number in the batch.
            first: first row of outputs of the block.
        """
        conv = self.conv
        plane = image * conv.layer.out_shape[1] + number
        if self.other is not None:
            self._move(self.other, plane, first, back=True)
        with T.serial(conv.vectors) as vector:
            at = (own * conv.vectors + vector) * conv.words.lanes
            for r, row in enumerate(self._results(sums, at)):
                made = self._finished(row, r, number)
                self._store(made, number, r * _row_bytes(conv) + vector * self._vector_bytes)
        self._move(self.output, plane, first, back=False)

    @property
    def _vector_bytes(self) -> int:
        return self.conv.words.lanes * self.conv.schedule.width

    def _results(self, sums: Buffer, at: Expr) -> list[list[Buffer]]:
        """Emits the transform of the sums of a vector of tiles, and returns its rows."""
        conv, code = self.conv, VectorCode(self.conv.words.lanes, "int32")
        rows = []
        for r in range(conv.y.products):
            loaded = code.registers(conv.x.products)
            for v, register in enumerate(loaded):
                place = (r * conv.x.products + v) * conv.place_sums
                code.set(register, code.load(sums, place + at))
            rows.append(emit_linear_map(code, conv.x.of_sums, loaded))
        columns = [emit_linear_map(code, conv.y.of_sums, each) for each in zip(*rows, strict=True)]
        return [list(row) for row in zip(*columns, strict=True)]

    def _finished(self, row: Sequence[Buffer], r: int, number: Expr) -> list[Expr]:
        """Returns the results of a row of tiles, times a power of 2, with their bias."""
        code = VectorCode(self.conv.words.lanes, "int32")
        bias = code.broadcast(self.bias[number])
        factors = self.conv.factors[r]
        return [
            code.get(each) * code.broadcast(int(factor)) + bias
            if factor != 1
            else code.get(each) + bias
            for each, factor in zip(row, factors, strict=True)
        ]

    def _store(self, row: Sequence[Expr], number: Expr, at: Expr) -> None:
        """Emits the bytes of a row of the tiles of a vector.

        Args:
            row: a vector for each column of a tile.
        """
        conv, lanes = self.conv, self.conv.words.lanes
        store = conv.layer.store
        order = [column * lanes + t for t in range(lanes) for column in range(len(row))]
        place = (self.staged, at)
        other = None if self.other is None else staged_residual(place, order, lanes)
        factor = VectorCode(lanes).broadcast(self.scale[number])
        steps = steps_of(store, row, factor, lanes, other)
        store_bytes(place, bytes_of(store, steps, order, conv.instructions.pack), len(order))

    def _move(self, tensor: Buffer, plane: Expr, first: Expr, *, back: bool) -> None:
        """Emits the copying of staged bytes to their plane, or back from there."""
        conv, (_, _, height, width) = self.conv, self.conv.layer.out_shape
        to, whole = plane * plane_bytes(conv.layer.out_pixels), height % conv.block_height == 0
        with T.serial(conv.schedule.rows) as tiles:
            for r in range(conv.schedule.height):
                row = first + tiles * conv.schedule.height + r
                here = (
                    self.staged,
                    r * _row_bytes(conv) + tiles * conv.across * conv.schedule.width,
                )
                there = (tensor, to + row * width)
                target, source = (here, there) if back else (there, here)
                with when(*([] if whole else [row < height])):
                    copy_run(target, source, width, conv.instructions.bytes)


def _row_bytes(conv: TileConv2d) -> int:
    return conv.vectors * conv.words.lanes * conv.schedule.width
