"""The shape of a convolution as a GPU's kernel sees it: plain planes, no layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from te_schedules.window import Window

__all__ = ["GpuGeometry"]


@dataclass(frozen=True, kw_only=True)
class GpuGeometry:
    """A convolution's sizes; pairs are (y, x)."""

    batch: int
    in_channels: int
    out_channels: int
    in_size: tuple[int, int]
    out_size: tuple[int, int]
    window: Window

    @classmethod
    def of(cls, window: Window, in_shape: Sequence[int], out_shape: Sequence[int]) -> GpuGeometry:
        """Returns the geometry of a layer.

        Args:
            in_shape, out_shape: (n, c, height, width).
        """
        return cls(
            batch=in_shape[0],
            in_channels=in_shape[1],
            out_channels=out_shape[1],
            in_size=(in_shape[2], in_shape[3]),
            out_size=(out_shape[2], out_shape[3]),
            window=window,
        )

    @property
    def in_shape(self) -> tuple[int, int, int, int]:
        """(n, c, height, width)."""
        return (self.batch, self.in_channels, *self.in_size)

    @property
    def out_shape(self) -> tuple[int, int, int, int]:
        """(n, c, height, width)."""
        return (self.batch, self.out_channels, *self.out_size)
