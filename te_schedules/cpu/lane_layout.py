"""The lane-blocked layout: every tap of a convolution is an aligned vector load.

A plane of ``height`` x ``width`` values is cut into ``lanes_y`` x ``lanes_x`` blocks of
``steps_y`` x ``steps_x``. Vector (sy, sx) holds one value of each block: lane
``ly * lanes_x + lx`` is the value at row ``ly * steps_y + sy`` and column
``lx * steps_x + sx``. The neighbour of every value of a vector is then in one other
vector, so a stencil loads whole aligned vectors and neighbouring taps share registers.
Beyond the edges of a block its *halo* repeats the neighbouring block, shifted by a lane,
and holds zeros outside the plane, which serve as the padding of a convolution.

A tensor in this layout has the shape (n, channels, plane_values), float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Halo", "LaneLayout", "best_layout"]


@dataclass(frozen=True, kw_only=True)
class Halo:
    """Vectors stored beyond the block on each side."""

    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0

    def union(self, other: Halo) -> Halo:
        """Returns the smallest halo that holds both."""
        return Halo(
            top=max(self.top, other.top),
            left=max(self.left, other.left),
            bottom=max(self.bottom, other.bottom),
            right=max(self.right, other.right),
        )

    def covers(self, other: Halo) -> bool:
        """Whether everything in ``other`` is stored here too."""
        return self.union(other) == self


@dataclass(frozen=True, kw_only=True)
class LaneLayout:
    """How the planes of one tensor are stored; see the module's description."""

    height: int
    width: int
    lanes_y: int
    lanes_x: int
    steps_y: int
    steps_x: int
    halo: Halo = Halo()

    def __post_init__(self) -> None:
        if self.lanes_y * self.steps_y < self.height or self.lanes_x * self.steps_x < self.width:
            raise ValueError(f"{self} does not hold a plane of {self.height}x{self.width}")

    @property
    def lanes(self) -> int:
        """Values of a vector."""
        return self.lanes_y * self.lanes_x

    @property
    def row_vectors(self) -> int:
        """Vectors of one row, with the halo."""
        return self.halo.left + self.steps_x + self.halo.right

    @property
    def rows(self) -> int:
        """Rows of vectors, with the halo."""
        return self.halo.top + self.steps_y + self.halo.bottom

    @property
    def plane_vectors(self) -> int:
        """Vectors of a plane: odd, so that planes do not share the sets of a cache."""
        return (self.rows * self.row_vectors) | 1

    @property
    def plane_values(self) -> int:
        """float32 values of a plane, with the halo."""
        return self.plane_vectors * self.lanes

    @property
    def is_exact(self) -> bool:
        """Whether every lane of every vector holds a value of the plane."""
        return (self.lanes_y * self.steps_y, self.lanes_x * self.steps_x) == (
            self.height,
            self.width,
        )

    def shape(self, batch: int, channels: int) -> tuple[int, int, int]:
        """Returns the shape of a tensor in this layout."""
        return (batch, channels, self.plane_values)

    def with_halo(self, halo: Halo) -> LaneLayout:
        """Returns the same split with another halo."""
        return replace(self, halo=halo)

    def same_split(self, other: LaneLayout) -> bool:
        """Whether the two layouts differ in nothing but the halo."""
        return self.with_halo(Halo()) == other.with_halo(Halo())

    def offset(self, row, column):  # type: ignore[no-untyped-def]
        """Returns where vector (row, column) starts: ints, or index expressions of TIR."""
        vector = (row + self.halo.top) * self.row_vectors + (column + self.halo.left)
        return vector * self.lanes

    def source_index(self) -> np.ndarray:
        """Returns (plane_values,) int32: the index in the plane of each value, -1 for zero."""
        rows = np.arange(-self.halo.top, self.steps_y + self.halo.bottom)
        columns = np.arange(-self.halo.left, self.steps_x + self.halo.right)
        y = rows[:, None, None, None] + (np.arange(self.lanes_y) * self.steps_y)[:, None]
        x = columns[:, None, None] + (np.arange(self.lanes_x) * self.steps_x)
        y, x = np.broadcast_arrays(y, x)
        inside = (y >= 0) & (y < self.height) & (x >= 0) & (x < self.width)
        index = np.full(self.plane_values, -1, np.int32)
        index[: y.size] = np.where(inside, y * self.width + x, -1).reshape(-1)
        return index

    def pack(self, planes: np.ndarray) -> np.ndarray:
        """Stores ``planes``: (n, c, height, width) in this layout; for constants and tests."""
        flat = planes.reshape(*planes.shape[:2], -1)
        index = self.source_index()
        return np.where(index < 0, 0, flat[:, :, index]).astype(planes.dtype)

    def unpack(self, stored: np.ndarray) -> np.ndarray:
        """Reads (n, c, height, width) back out of ``stored``; the inverse of ``pack``."""
        index = self.source_index()
        flat = np.empty((*stored.shape[:2], self.height * self.width), stored.dtype)
        flat[:, :, index[index >= 0]] = stored[:, :, index >= 0]
        return flat.reshape(*stored.shape[:2], self.height, self.width)


def best_layout(height: int, width: int, lanes: int) -> LaneLayout:
    """Returns the split with the fewest vectors; the squarest of equals, for a small halo."""
    return min(_splits(height, width, lanes), key=_cost)


def _splits(height: int, width: int, lanes: int) -> Sequence[LaneLayout]:
    factors = [n for n in range(1, lanes + 1) if lanes % n == 0]
    return [
        LaneLayout(
            height=height,
            width=width,
            lanes_y=lanes_y,
            lanes_x=lanes // lanes_y,
            steps_y=-(-height // lanes_y),
            steps_x=-(-width * lanes_y // lanes),
        )
        for lanes_y in factors
    ]


def _cost(layout: LaneLayout) -> tuple[int, int]:
    return (layout.steps_y * layout.steps_x, layout.steps_y + layout.steps_x)
