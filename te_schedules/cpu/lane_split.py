"""How a plane is cut into blocks, of which a vector holds one value each.

A plane of ``height`` x ``width`` values is cut into ``lanes_y`` x ``lanes_x`` blocks of
``vectors_y`` x ``vectors_x``. Vector (vy, vx) holds one value of each block: lane
``ly * lanes_x + lx`` is the value at row ``ly * vectors_y + vy`` and column
``lx * vectors_x + vx``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Split", "best_split", "splits"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """The cut of one plane; see the module's description.

    Raises:
        ValueError: the blocks do not hold the plane.
    """

    height: int
    width: int
    lanes_y: int
    lanes_x: int
    vectors_y: int
    vectors_x: int

    def __post_init__(self) -> None:
        if (
            self.lanes_y * self.vectors_y < self.height
            or self.lanes_x * self.vectors_x < self.width
        ):
            raise ValueError(f"{self} does not hold a plane of {self.height}x{self.width}")

    @property
    def lanes(self) -> int:
        """Values of a vector."""
        return self.lanes_y * self.lanes_x

    @property
    def vectors(self) -> int:
        """Vectors of a plane."""
        return self.vectors_y * self.vectors_x

    @property
    def is_exact(self) -> bool:
        """Whether every lane of every vector holds a value of the plane."""
        return self.vectors * self.lanes == self.height * self.width


def best_split(height: int, width: int, lanes: int) -> Split:
    """Returns the split with the fewest vectors.

    Of equals it is one with even sides, whose lanes a stride of 2 keeps; then the squarest, for a
    small halo; then the wider, whose rows are longer stretches of memory.
    """
    return min(splits(height, width, lanes), key=_cost)


def splits(height: int, width: int, lanes: int) -> Sequence[Split]:
    """Returns all splits, from the one into columns alone to that into rows alone."""
    factors = [n for n in range(1, lanes + 1) if lanes % n == 0]
    return [
        Split(
            height=height,
            width=width,
            lanes_y=lanes_y,
            lanes_x=lanes // lanes_y,
            vectors_y=-(-height // lanes_y),
            vectors_x=-(-width * lanes_y // lanes),
        )
        for lanes_y in factors
    ]


def _cost(split: Split) -> tuple[int, bool, int, int]:
    down, across = split.vectors_y, split.vectors_x
    return (split.vectors, down % 2 + across % 2 > 0, down + across, down)
