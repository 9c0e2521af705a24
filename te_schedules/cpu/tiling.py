"""Covers the vectors of a plane with register tiles.

Where tiles do not divide the plane, the last ones overlap those before them. What two tiles
cover need not be computed twice: see ``tile_parts``.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

from tvm.tirx import min as tir_min

from te_schedules.cpu.vector_code import Expr

__all__ = ["Places", "TilePart", "Tiling", "tile_parts"]

Places = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Tiling:
    """Tiles of ``tile`` vectors over ``extent``.

    Raises:
        ValueError: a tile is larger than the extent; it would be stored outside the plane.
    """

    extent: int
    tile: int

    def __post_init__(self) -> None:
        if not 1 <= self.tile <= self.extent:
            raise ValueError(
                f"a tile of {self.tile} vectors over {self.extent}: expected 1 to {self.extent}"
            )

    @property
    def count(self) -> int:
        """Number of tiles."""
        return -(-self.extent // self.tile)

    @property
    def overlap(self) -> int:
        """Vectors of the last tile that the one before it covers."""
        return self.count * self.tile - self.extent

    @property
    def starts(self) -> tuple[int, ...]:
        """First vector of each tile."""
        return tuple(min(i * self.tile, self.extent - self.tile) for i in range(self.count))

    def start(self, index: Expr) -> Expr:
        """Returns the first vector of the tile with this index."""
        if self.extent % self.tile == 0:
            return index * self.tile
        return tir_min(index * self.tile, self.extent - self.tile)


class TilePart(NamedTuple):
    """What is computed of some of the tiles of a plane.

    Attributes:
        places: vectors (row, column) of the tile.
        tiles: how many tiles.
    """

    places: Places
    tiles: int


def tile_parts(rows: Tiling, columns: Tiling) -> tuple[TilePart, ...]:
    """Returns what is computed of most tiles, and of the last ones what others do not cover.

    Each part has code of its own, so there are two at most: if columns overlap, those of the
    last column are the second, else those of the last row.
    """
    whole = tuple(itertools.product(range(rows.tile), range(columns.tile)))
    if columns.overlap:
        fresh = tuple(place for place in whole if place[1] >= columns.overlap)
        last = rows.count
    else:
        fresh = tuple(place for place in whole if place[0] >= rows.overlap)
        last = columns.count if rows.overlap else 0
    parts = TilePart(whole, rows.count * columns.count - last), TilePart(fresh, last)
    return parts if last else parts[:1]
