"""The transforms of what a block of tiles reads, in the order in which it is multiplied.

Bytes of a channel, or pair of channels, are copied with their borders; then spread to words, the
columns of a tile apart from each other, so that a vector has one of neighbouring tiles and
nothing has to be shuffled any more.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvm.tirx import Broadcast, Buffer, Cast
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.planes import LINE
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from te_schedules.cpu.linear_map import emit_linear_map
from te_schedules.cpu.vector_code import Expr, VectorCode, shuffled

__all__ = ["TileInputs"]


@dataclass(frozen=True, eq=False)
class TileInputs:
    """Emits the transforms.

    Attributes:
        copied, spread: memory of a thread.
    """

    conv: TileConv2d
    copied: Buffer
    spread: Buffer

    @classmethod
    def allocate(cls, conv: TileConv2d) -> TileInputs:
        """Emits the memory that is needed on the way."""
        strip, depth = conv.strip, conv.words.depth
        room = conv.schedule.width * conv.step + LINE  # that moves may reach behind their end
        copied = T.alloc_buffer((depth * strip.channel_bytes + room,), "uint8")
        words = (_strip_rows(conv) * _row_words(conv)) + 2 * conv.step * depth
        return cls(conv, copied, T.alloc_buffer((words,), "int16"))

    def emit(self, made: Buffer, data: Buffer, image: Expr, first: Expr) -> None:
        """Emits the transforms of all channels.

        Args:
            made: (places, pairs, tiles, words of a pair), as ``TileConv2d`` has it.
            image: number in the batch.
            first: first row of outputs of the block.
        """
        conv, strip, channels = self.conv, self.conv.strip, self.conv.layer.in_shape[1]
        depth = conv.words.depth
        places = [(self.copied, i * strip.channel_bytes) for i in range(depth)]
        for place in places:
            strip.fill_plane(place)
        with T.serial(conv.pairs) as pair:
            for i, place in enumerate(places):
                # what stands for a channel that there is not has weights 0
                strip.copy_inside(place, data, image, T.min(pair * depth + i, channels - 1), first)
            with T.serial(_strip_rows(conv)) as row, T.serial(_moves(conv)) as move:
                self._spread(row, move)
            with T.serial(conv.schedule.rows) as row, T.serial(conv.steps) as step:
                self._transform(made, pair, row, step)

    def _spread(self, row: Expr, move: Expr) -> None:
        """Emits the spreading of the inputs of some tiles of a row."""
        conv, strip, width = self.conv, self.conv.strip, self.conv.schedule.width
        size, depth = conv.step * width, conv.words.depth
        code, words = VectorCode(size, "uint8"), conv.step * depth
        at = row * strip.pitch + move * size
        registers = code.registers(depth)
        for i, register in enumerate(registers):
            code.set(register, code.load(self.copied, i * strip.channel_bytes + at))
        loaded = [code.get(register) for register in registers]
        zero = Broadcast(T.int16(conv.layer.in_zero), words)
        for column in range(width):
            order = [i * size + t * width + column for t in range(conv.step) for i in range(depth)]
            value = Cast(f"int16x{words}", shuffled(loaded, order)) - zero
            to = row * _row_words(conv) + column * _column_words(conv) + move * words
            VectorCode(words, "int16").store(self.spread, value, to)

    def _transform(self, made: Buffer, pair: Expr, row: Expr, step: Expr) -> None:
        """Emits the transform of some tiles of a row of tiles."""
        conv, depth, width = self.conv, self.conv.words.depth, self.conv.schedule.width
        code, rows = VectorCode(conv.step * depth, "int16"), []
        for r in range(conv.y.products):
            loaded = code.registers(conv.x.products)
            line = (row * conv.schedule.height + r) * _row_words(conv)
            for v, register in enumerate(loaded):
                column = v % width * _column_words(conv) + v // width * depth
                at = line + column + step * code.lanes
                code.set(register, code.load(self.spread, at))
            rows.append(emit_linear_map(code, conv.x.of_inputs, loaded))
        tile = (pair * conv.vectors * conv.words.lanes + row * conv.across) * depth
        for v, values in enumerate(zip(*rows, strict=True)):
            for r, value in enumerate(emit_linear_map(code, conv.y.of_inputs, values)):
                place = (r * conv.x.products + v) * conv.place_words
                code.store(made, code.get(value), place + tile + step * code.lanes)


def _strip_rows(conv: TileConv2d) -> int:
    """Rows of inputs of a block."""
    return conv.block_height + conv.y.products - conv.y.outputs


def _moves(conv: TileConv2d) -> int:
    """Vectors that a column of each tile of a row takes: the last tile reads one beyond it."""
    return -(-(conv.across + 1) // conv.step)


def _column_words(conv: TileConv2d) -> int:
    return _moves(conv) * conv.step * conv.words.depth


def _row_words(conv: TileConv2d) -> int:
    return _column_words(conv) * conv.schedule.width
