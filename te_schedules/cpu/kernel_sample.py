"""A sample of a kernel: its code in a small size, its arguments, and what it has to compute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tvm.tirx import PrimFunc

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import best_split
from te_schedules.window import Window

__all__ = ["SIZE", "Sample", "padded_windows", "sample_geometry", "sample_layout", "sample_planes"]

SIZE = (13, 21)  # of the planes: rows and columns that no vector divides
HALO = Halo(top=1, left=1, bottom=1, right=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """A kernel of small size, its arguments and its result.

    Attributes:
        expected: the output, as the kernel stores it.
    """

    func: PrimFunc
    arguments: tuple[np.ndarray, ...]
    expected: np.ndarray


def sample_planes(channels: int) -> np.ndarray:
    """Returns random planes (1, channels, height, width) float32."""
    return np.random.default_rng(channels).standard_normal((1, channels, *SIZE), np.float32)


def padded_windows(planes: np.ndarray, size: int, fill: float = 0.0) -> np.ndarray:
    """Returns the padded windows of each position: (n, c, height, width, size, size)."""
    edge = size // 2
    padded = np.pad(planes, ((0, 0), (0, 0), (edge, edge), (edge, edge)), constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))


def sample_layout(lanes: int) -> LaneLayout:
    """Returns the layout of all tensors of a sample, with a halo for 3x3 windows."""
    return LaneLayout(best_split(*SIZE, lanes), HALO)


def sample_geometry(channels: int, filters: int, lanes: int, size: int) -> Conv2dGeometry:
    """Returns the geometry of padded windows of ``size`` x ``size`` at every position."""
    window = Window((size, size), padding=(size // 2, size // 2))
    in_shape = (1, channels, *SIZE)
    return Conv2dGeometry.of(window, in_shape, filters, sample_layout(lanes), sample_layout(lanes))
