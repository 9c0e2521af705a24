"""Covers the vectors of a plane with register tiles; the last tile of a row overlaps."""

from __future__ import annotations

from dataclasses import dataclass

from tvm.tirx import min as tir_min

from te_schedules.vector_code import Expr

__all__ = ["Tiling"]


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
    def starts(self) -> tuple[int, ...]:
        """First vector of each tile."""
        return tuple(min(i * self.tile, self.extent - self.tile) for i in range(self.count))

    def start(self, index: Expr) -> Expr:
        """Returns the first vector of the tile with this index."""
        if self.extent % self.tile == 0:
            return index * self.tile
        return tir_min(index * self.tile, self.extent - self.tile)
