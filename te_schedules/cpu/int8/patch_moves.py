"""Moves between rows of bytes and patches, for one row of patches.

Moves are of whole small vectors, from the left to the right: what one writes too much, the next
overwrites, and there is room behind the last. Where there are enough patches, the last of outputs
reaches back instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.byte_runs import Place, load_bytes, store_bytes
from te_schedules.cpu.int8.patch_shape import PatchShape
from te_schedules.cpu.vector_code import Expr, shuffled

__all__ = ["MOVE", "PatchMoves"]

MOVE = 16  # bytes of a small vector, and of a small patch
FOUR, EIGHT = 4, 8  # small patches that are filled, or whose outputs are moved, at a time


@dataclass(frozen=True, kw_only=True)
class PatchMoves:
    """A row of patches, and the rows that they are made of or that are made of them.

    Attributes:
        across: patches.
        pitch: from one row to the next.
    """

    shape: PatchShape
    across: int
    pitch: int

    @property
    def takes_exactly(self) -> bool:
        """Whether ``take`` writes nothing besides the outputs of its patches."""
        return self.shape.size == MOVE and self.across >= EIGHT

    def fill(self, patches: Place, rows: Place) -> None:
        """Emits the copying of inputs to patches."""
        if self.shape.size > MOVE:
            self._fill_large(patches, rows)
            return
        taken, step = self.shape.in_columns, self.shape.columns
        order = [
            row * MOVE + patch * step + column
            for patch in range(FOUR)
            for row in range(self.shape.in_rows)
            for column in range(taken)
        ]
        with T.serial(-(-self.across // FOUR)) as i:
            loaded = [
                load_bytes(_behind(rows, row * self.pitch + i * (FOUR * step)), MOVE)
                for row in range(self.shape.in_rows)
            ]
            store_bytes(_behind(patches, i * FOUR * MOVE), shuffled(loaded, order), FOUR * MOVE)

    def take(self, rows: Place, patches: Place) -> None:
        """Emits the copying of outputs from patches to rows."""
        shape = self.shape
        if shape.size > MOVE:
            for_each, size = self.across, _power(shape.columns)
            with T.serial(for_each) as i:
                for row in range(shape.rows):
                    source = _behind(patches, i * shape.outs + shape.lane(row, 0))
                    target = _behind(rows, row * self.pitch + i * shape.columns)
                    store_bytes(target, load_bytes(source, size), size)
            return
        with T.serial(-(-self.across // EIGHT)) as i:
            patch = i * EIGHT
            if self.takes_exactly:
                patch = T.min(patch, self.across - EIGHT)
            loaded = load_bytes(_behind(patches, patch * shape.outs), EIGHT * shape.outs)
            for row in range(shape.rows):
                target = _behind(rows, row * self.pitch + patch * shape.columns)
                store_bytes(target, shuffled([loaded], self._lanes(row)), MOVE)

    def give(self, patches: Place, rows: Place) -> None:
        """Emits the opposite of ``take``."""
        shape = self.shape
        if shape.size > MOVE:
            size = _power(shape.columns)
            with T.serial(self.across) as i:
                for row in range(shape.rows):
                    target = _behind(patches, i * shape.outs + shape.lane(row, 0))
                    source = _behind(rows, row * self.pitch + i * shape.columns)
                    store_bytes(target, load_bytes(source, size), size)
            return
        lanes = [lane for row in range(shape.rows) for lane in self._lanes(row)]
        order = [lanes.index(lane) for lane in range(len(lanes))]
        with T.serial(-(-self.across // EIGHT)) as i:
            loaded = [
                load_bytes(_behind(rows, row * self.pitch + i * MOVE), MOVE)
                for row in range(shape.rows)
            ]
            target = _behind(patches, i * (EIGHT * shape.outs))
            store_bytes(target, shuffled(loaded, order), EIGHT * shape.outs)

    def _fill_large(self, patches: Place, rows: Place) -> None:
        shape = self.shape
        with T.serial(self.across) as i:
            for row in range(shape.in_rows):
                source = _behind(rows, row * self.pitch + i * (shape.columns * shape.stride))
                target = _behind(patches, i * shape.size + row * shape.in_columns)
                store_bytes(target, load_bytes(source, MOVE), MOVE)

    def _lanes(self, row: int) -> list[int]:
        """Returns where the outputs of a row of eight patches are among all of these."""
        shape = self.shape
        places = [
            (patch * shape.outs + shape.lane(row, column))
            for patch in range(EIGHT)
            for column in range(shape.columns)
        ]
        return places


def _power(size: int) -> int:
    """Returns the least power of 2 that is not below ``size``."""
    return 1 << (size - 1).bit_length()


def _behind(place: Place, by: Expr) -> Place:
    return place[0], place[1] + by
