"""What a convolution kernel needs to know of the layer's shape."""

from __future__ import annotations

from dataclasses import dataclass

from te_schedules.cpu.lane_layout import LaneLayout

__all__ = ["Conv2dGeometry"]


@dataclass(frozen=True, kw_only=True)
class Conv2dGeometry:
    """Where the taps of a convolution lie; all pairs are (y, x).

    Attributes:
        in_layout, out_layout: the same split; in_layout has ``stride`` times the steps.
        padding: zeros before the first row and column.
    """

    batch: int
    in_channels: int
    out_channels: int
    in_layout: LaneLayout
    out_layout: LaneLayout
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
