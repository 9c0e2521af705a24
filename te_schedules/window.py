"""The window that a convolution or a pooling slides over a plane."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Window"]

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """Where the taps lie; pairs are (y, x).

    Attributes:
        taps: height and width of the kernel.
        padding: zeros before the first row and the first column.
    """

    taps: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: Pair = (0, 0)

    @property
    def reach(self) -> Pair:
        """How far the last taps of an output lie beyond the ``stride`` inputs that are its own."""
        y, x = (
            max(0, (taps - 1) * gap - before - (step - 1))
            for taps, gap, before, step in zip(
                self.taps, self.dilation, self.padding, self.stride, strict=True
            )
        )
        return y, x
