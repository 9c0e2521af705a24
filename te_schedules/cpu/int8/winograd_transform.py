"""Winograd's minimal filtering in whole numbers, for one axis of 3 taps.

m neighbouring outputs take m + 2 products instead of m * 3: y = A [(G g) * (B d)] (Lavin and
Gray, arXiv 1509.09308). The points are 0, 1, -1, of four outputs 2, -2, too, and infinity; each
row of G is multiplied until it is whole, those of 0 and infinity by as much more as A would
multiply them. Then an output is a known multiple of what it should be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["OUTPUTS", "TAPS", "IntegerTransform", "results_factors", "results_shift"]

TAPS = 3

_INPUTS = {
    2: ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
    4: (
        (4, 0, -5, 0, 1, 0),
        (0, -4, -4, 1, 1, 0),
        (0, 4, -4, -1, 1, 0),
        (0, -2, -1, 2, 1, 0),
        (0, 2, -1, -2, 1, 0),
        (0, 4, 0, -5, 0, 1),
    ),
}
_WEIGHTS = {
    2: ((2, 0, 0), (1, 1, 1), (1, -1, 1), (0, 0, 2)),
    4: ((6, 0, 0), (-1, -1, -1), (-1, 1, -1), (1, 2, 4), (1, -2, 4), (0, 0, 6)),
}
_SUMS = {
    2: ((1, 1, 1, 0), (0, 1, -1, -1)),
    4: ((1, 4, 4, 1, 1, 0), (0, 2, -2, 1, -1, 0), (0, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 1)),
}
_MULTIPLES = {2: (2, 2), 4: (24, 12, 6, 6)}

OUTPUTS = tuple(_SUMS)


@dataclass(frozen=True)
class IntegerTransform:
    """The transform of ``outputs`` neighbouring results, one of ``OUTPUTS``."""

    outputs: int

    @property
    def products(self) -> int:
        """Inputs of a tile, and products that they take."""
        return self.outputs + TAPS - 1

    @property
    def of_inputs(self) -> np.ndarray:
        """B, (products, products) int64."""
        return np.array(_INPUTS[self.outputs])

    @property
    def of_taps(self) -> np.ndarray:
        """G, (products, taps) int64."""
        return np.array(_WEIGHTS[self.outputs])

    @property
    def of_sums(self) -> np.ndarray:
        """A, (outputs, products) int64."""
        return np.array(_SUMS[self.outputs])

    @property
    def multiples(self) -> np.ndarray:
        """How often each result has what it should be, (outputs,) int64."""
        return np.array(_MULTIPLES[self.outputs])


def results_shift(y: IntegerTransform, x: IntegerTransform) -> int:
    """Returns the power of 2 that results of two axes are found times, modulo 2^32."""
    return int(np.log2(_powers_of_2(_multiples(y, x)).max()))


def results_factors(y: IntegerTransform, x: IntegerTransform) -> np.ndarray:
    """Returns (rows, columns) int32: what makes such results of transformed sums, modulo 2^32."""
    multiples = _multiples(y, x)
    powers = _powers_of_2(multiples)
    inverses = [pow(int(odd), -1, 2**32) for odd in (multiples // powers).flat]
    made = np.reshape(inverses, powers.shape) * (2 ** results_shift(y, x) // powers)
    return np.asarray(made.astype(np.uint32).view(np.int32))


def _multiples(y: IntegerTransform, x: IntegerTransform) -> np.ndarray:
    return np.multiply.outer(y.multiples, x.multiples)


def _powers_of_2(numbers: np.ndarray) -> np.ndarray:
    """Returns the largest that divide each."""
    return numbers & -numbers
