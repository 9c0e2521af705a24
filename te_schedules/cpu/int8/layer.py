"""What an int8 kernel computes: the numbers of a quantised convolution or matrix product.

Activations are uint8, a value is ``scale * (byte - zero)``; weights are int8 without a zero point.
Scales and zero points are folded into a bias of the sums and a factor for each filter:

    value = sum(weight * byte) + bias
    stored = clip(round(value * scale) + zero, low, high)      halves are rounded to even

A matrix product may also store numbers, neither rounded nor clipped: ``value * scale + offset``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from te_schedules.window import Window
from tvm_patdnn.sparse.alike_filters import alike_order

__all__ = ["Int8Layer", "Requantization", "Residual"]

LARGEST_STEPS = 2**22  # float32 has no halves beyond it

Shape = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Residual:
    """A second tensor of the result's shape, added before rounding: ``scale * (byte - zero)``.

    Attributes:
        scale: its scale over that of the result.
        low, high: bounds of what it is added to, in steps of that.
        own: steps of the result that a step of that is, where it is rounded before it is
            added to; None: it is not, and its steps are those of the result.
    """

    scale: float
    zero: int
    low: float
    high: float
    own: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Requantization:
    """How sums become bytes, or numbers.

    Attributes:
        scale: (filters,) float32, steps that a sum of 1 is: of the result, or of what a
            residual is added to.
        zero: the byte that stands for 0.
        low, high: bounds of the stored bytes.
        offset: (filters,) float32, if numbers are stored: what is added to them.
    """

    scale: np.ndarray
    zero: int
    low: int = 0
    high: int = 255
    residual: Residual | None = None
    offset: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Int8Layer:
    """A convolution, or a matrix product.

    Attributes:
        in_shape, out_shape: (n, c, height, width).
        weight: (filters, channels of a group, kh, kw) int8.
        bias: (filters,) int32, with the input's zero point folded in.
        in_zero: the byte that padding holds.
    """

    in_shape: Shape
    out_shape: Shape
    window: Window
    groups: int
    weight: np.ndarray
    bias: np.ndarray
    in_zero: int
    store: Requantization

    @property
    def in_pixels(self) -> int:
        """Of a plane of the input."""
        return self.in_shape[2] * self.in_shape[3]

    @property
    def out_pixels(self) -> int:
        """Of a plane of the result."""
        return self.out_shape[2] * self.out_shape[3]

    @property
    def flat(self) -> bool:
        """Whether it is a matrix product, of 1x1 kernels: each tensor is one plane."""
        return self.in_shape[2:] == (1, 1) and self.out_shape[2:] == (1, 1)

    @property
    def pointwise(self) -> bool:
        """Whether an output is of the pixel in its place: planes may be cut anywhere."""
        taps, moved = self.window.taps, self.in_shape[2:] != self.out_shape[2:]
        return taps == (1, 1) and not (moved or any(self.window.padding))

    @property
    def as_column(self) -> Int8Layer:
        """The same of planes whose rows are of one pixel, if it is pointwise."""
        plane = (self.in_pixels, 1)
        return replace(
            self, in_shape=self.in_shape[:2] + plane, out_shape=self.out_shape[:2] + plane
        )

    @property
    def depthwise(self) -> bool:
        """Whether each filter reads one channel, and each channel has as many filters."""
        return self.groups > 1 and self.weight.shape[1] == 1

    @cached_property
    def alike_order(self) -> np.ndarray | None:
        """See ``alike_order``: it is asked for by every size of a group."""
        return alike_order(self.weight)

    @cached_property
    def own_bias(self) -> np.ndarray:
        """(filters,) int64: the bias of sums of inputs less their zero point."""
        totals = self.weight.astype(np.int64).sum((1, 2, 3))
        return np.asarray(self.bias + self.in_zero * totals)

    @cached_property
    def largest(self) -> int:
        """What no sum with its bias is beyond, of either sign."""
        weight = self.weight.astype(np.int64)
        total, absolute = (each.sum((1, 2, 3)) for each in (weight, np.abs(weight)))
        above, below = (absolute + total) // 2, (absolute - total) // 2
        high, low = 255 - self.in_zero, self.in_zero
        bounds = (
            above * high + below * low + self.own_bias,
            above * low + below * high - self.own_bias,
        )
        return int(np.max(bounds))

    @property
    def is_exact(self) -> bool:
        """Whether sums fit in 32 bits, and steps are small enough to be rounded, if they are."""
        weights = np.abs(self.weight.astype(np.int64)).reshape(len(self.weight), -1).sum(1)
        sums = 255 * weights + np.abs(self.bias.astype(np.int64))
        steps = sums * np.abs(self.store.scale.astype(np.float64))
        rounds = self.store.offset is None
        return bool(sums.max() < 2**31 and (not rounds or steps.max() < LARGEST_STEPS))
