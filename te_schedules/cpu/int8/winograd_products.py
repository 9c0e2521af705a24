"""The products of transformed inputs and weights: sums over all channels, in registers."""

from __future__ import annotations

import itertools

from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from te_schedules.cpu.vector_code import Expr, VectorCode

__all__ = ["multiply"]


def multiply(
    conv: TileConv2d, inputs: Buffer, weight: Buffer, sums: Buffer, first: Expr, count: Expr
) -> None:
    """Emits the products of some groups of filters, place by place, with all tiles of a block.

    Args:
        inputs: as ``TileInputs`` makes them.
        weight: a row of numbers.
        sums: (places, filters of a chunk, vectors of tiles) int32.
        first, count: of the groups.
    """
    together = conv.schedule.together
    units, rest = divmod(conv.vectors, together)
    with T.serial(conv.places) as place:
        if units:
            tile = _Tile(conv, inputs, weight, sums, together)
            with T.serial(units) as unit, T.serial(count) as i:
                tile.emit(place, unit * together, first + i, i)
        if rest:
            tile = _Tile(conv, inputs, weight, sums, rest)
            with T.serial(count) as i:
                tile.emit(place, units * together, first + i, i)


class _Tile:
    """The sums of a group of filters and some vectors of tiles, and what is multiplied for them."""

    def __init__(
        self, conv: TileConv2d, inputs: Buffer, weight: Buffer, sums: Buffer, vectors: int
    ) -> None:
        self._conv, self._inputs, self._weight, self._stored = conv, inputs, weight, sums
        self._int32 = VectorCode(conv.words.lanes, "int32")
        self._int16 = VectorCode(conv.words.words, "int16")
        self._sums = [self._int32.registers(vectors) for _ in range(conv.schedule.group)]
        self._values, self._spread = self._int16.registers(vectors), self._int16.register()

    def emit(self, place: Expr, vector: Expr, group: Expr, own: Expr) -> None:
        """Emits the sums from a vector of tiles on.

        Args:
            group: among all groups of filters.
            own: among those of the chunk.
        """
        conv, int32 = self._conv, self._int32
        for register in itertools.chain.from_iterable(self._sums):
            int32.set(register, int32.broadcast(0))
        with T.serial(conv.pairs) as pair:
            self._add(place, vector, group, pair)
        for f, of_filter in enumerate(self._sums):
            row = (own * conv.schedule.group + f) * conv.vectors + vector
            for v, register in enumerate(of_filter):
                at = place * conv.place_sums + (row + v) * int32.lanes
                int32.store(self._stored, int32.get(register), at)

    def _add(self, place: Expr, vector: Expr, group: Expr, pair: Expr) -> None:
        """Emits the products of a pair of channels."""
        conv, int32, int16 = self._conv, self._int32, self._int16
        at = place * conv.place_words + (pair * conv.vectors + vector) * int16.lanes
        for v, register in enumerate(self._values):
            int16.set(register, int16.load(self._inputs, at + v * int16.lanes))
        size = conv.schedule.group
        weights = ((place * conv.groups + group) * conv.pairs + pair) * size
        for f, of_filter in enumerate(self._sums):
            int16.set(self._spread, conv.words.spread(self._weight, weights + f))
            for value, register in zip(self._values, of_filter, strict=True):
                added = conv.words.dot(
                    int32.get(register), int16.get(value), int16.get(self._spread)
                )
                int32.set(register, added)
