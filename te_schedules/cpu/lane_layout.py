"""The lane-blocked layout: every tap of a convolution is an aligned vector load.

A plane is cut as a ``Split`` says. The neighbour of every value of a vector is then in one
other vector, so a stencil loads whole aligned vectors and neighbouring taps share registers.
Beyond the edges of a block its *halo* repeats the neighbouring block, shifted by a lane,
and holds zeros outside the plane, which serve as the padding of a convolution.

A tensor in this layout has the shape (n, channels, plane_values), float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from te_schedules.cpu.lane_split import Split

__all__ = ["Halo", "LaneLayout"]


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


@dataclass(frozen=True)
class LaneLayout:
    """How the planes of one tensor are stored: see the module's description."""

    split: Split
    halo: Halo = Halo()

    def with_halo(self, halo: Halo) -> LaneLayout:
        """Returns the same split with another halo."""
        return LaneLayout(self.split, halo)

    @property
    def height(self) -> int:
        """Rows of the plane."""
        return self.split.height

    @property
    def width(self) -> int:
        """Columns of the plane."""
        return self.split.width

    @property
    def lanes(self) -> int:
        """Values of a vector."""
        return self.split.lanes

    @property
    def lanes_y(self) -> int:
        """Blocks over the height of the plane."""
        return self.split.lanes_y

    @property
    def lanes_x(self) -> int:
        """Blocks over the width of the plane."""
        return self.split.lanes_x

    @property
    def vectors_y(self) -> int:
        """Rows of a block, without the halo."""
        return self.split.vectors_y

    @property
    def vectors_x(self) -> int:
        """Columns of a block, without the halo."""
        return self.split.vectors_x

    @property
    def row_vectors(self) -> int:
        """Vectors of one row, with the halo."""
        return self.halo.left + self.vectors_x + self.halo.right

    @property
    def rows(self) -> int:
        """Rows of vectors, with the halo."""
        return self.halo.top + self.vectors_y + self.halo.bottom

    @property
    def plane_vectors(self) -> int:
        """Vectors of a plane: odd, so that planes do not share the sets of a cache."""
        return (self.rows * self.row_vectors) | 1

    @property
    def plane_values(self) -> int:
        """float32 values of a plane, with the halo."""
        return self.plane_vectors * self.lanes

    def shape(self, batch: int, channels: int) -> tuple[int, int, int]:
        """Returns the shape of a tensor in this layout."""
        return (batch, channels, self.plane_values)

    def offset(self, row, column):  # type: ignore[no-untyped-def]
        """Returns where vector (row, column) starts: ints, or index expressions of TIR."""
        vector = (row + self.halo.top) * self.row_vectors + (column + self.halo.left)
        return vector * self.lanes

    def source_index(self) -> np.ndarray:
        """Returns (plane_values,) int32: the index in the plane of each value, -1 for zero."""
        rows = np.arange(-self.halo.top, self.vectors_y + self.halo.bottom)
        columns = np.arange(-self.halo.left, self.vectors_x + self.halo.right)
        y = rows[:, None, None, None] + (np.arange(self.lanes_y) * self.vectors_y)[:, None]
        x = columns[:, None, None] + (np.arange(self.lanes_x) * self.vectors_x)
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
