"""The matrices of Winograd's minimal filtering, for one axis.

m neighbouring outputs of r taps take m + r - 1 products instead of m * r:
y = A [(G g) * (B d)], for inputs d, taps g (Lavin and Gray, arXiv 1509.09308). The matrices
are Toom and Cook's: the polynomials are multiplied by their values at points, one of them
infinity. Points of which each has its negative share half of the additions; those at square
roots keep the numbers of six points near each other, and so the rounding small. Those of seven
are, of pairs of short fractions, the ones that round least for four outputs of four taps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["WinogradTransform", "has_points"]

_HALF, _TWO = 0.5**0.5, 2.0**0.5
_POINTS = {  # by the number of products, besides infinity
    2: (0.0,),
    3: (0.0, 1.0),
    4: (0.0, 1.0, -1.0),
    6: (0.0, _HALF, -_HALF, _TWO, -_TWO),
    7: (0.375, -0.375, 0.875, -0.875, 1.5, -1.5),
}


@dataclass(frozen=True)
class WinogradTransform:
    """The transform of ``outputs`` neighbouring results of ``taps`` taps.

    Raises:
        ValueError: there are no points for it.
    """

    outputs: int
    taps: int

    def __post_init__(self) -> None:
        if not self.is_plain and not has_points(self.outputs, self.taps):
            raise ValueError(
                f"{self.outputs} outputs of {self.taps} taps are {self.products} products: "
                f"expected {', '.join(map(str, _POINTS))}, or one output or one tap"
            )

    @property
    def products(self) -> int:
        """Inputs of a tile, and products that they take."""
        return self.outputs + self.taps - 1

    @property
    def is_plain(self) -> bool:
        """Whether nothing is saved: inputs and taps are multiplied as they are."""
        return self.outputs == 1 or self.taps == 1

    @cached_property
    def of_inputs(self) -> np.ndarray:
        """B, (products, products) float64."""
        if self.is_plain:
            return np.eye(self.products)
        points = _POINTS[self.products]
        rows = [_polynomial([q for q in points if q != p]) for p in points]
        return np.array([*(np.append(row, 0.0) for row in rows), _polynomial(points)])

    @cached_property
    def of_taps(self) -> np.ndarray:
        """G, (products, taps) float64."""
        if self.is_plain:
            return np.eye(self.taps) if self.outputs == 1 else np.ones((self.products, 1))
        points = np.array(_POINTS[self.products])
        others = [np.prod(p - np.delete(points, i)) for i, p in enumerate(points)]
        values = _powers(points, self.taps) / np.array(others)[:, None]
        return np.vstack([values, np.eye(self.taps)[-1]])

    @cached_property
    def of_outputs(self) -> np.ndarray:
        """A, (outputs, products) float64."""
        if self.is_plain:
            return np.eye(self.outputs) if self.taps == 1 else np.ones((1, self.products))
        values = _powers(np.array(_POINTS[self.products]), self.outputs)
        return np.vstack([values, np.eye(self.outputs)[-1]]).T


def has_points(outputs: int, taps: int) -> bool:
    """Whether there are points for a transform that saves products."""
    return outputs + taps - 1 in _POINTS


def _powers(points: np.ndarray, count: int) -> np.ndarray:
    return points[:, None] ** np.arange(count)


def _polynomial(roots: list[float] | tuple[float, ...]) -> np.ndarray:
    """Returns the coefficients of the monic polynomial, the constant first; tidy ones exactly."""
    found = np.poly(np.array(roots))[::-1] if len(roots) else np.ones(1)
    tidy = np.round(found * 4) / 4
    return np.where(np.abs(found - tidy) < 1e-12, tidy, found)
