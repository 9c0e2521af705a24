"""A convolution by numpy, with which the results of kernels on a device are compared."""

from __future__ import annotations

import itertools

import numpy as np

from te_schedules.gpu.conv2d_geometry import GpuGeometry

__all__ = ["plain_conv2d"]


def plain_conv2d(
    data: np.ndarray, weight: np.ndarray, geometry: GpuGeometry, groups: int
) -> np.ndarray:
    """Returns the convolution, as the sum of a matrix product for each tap.

    Args:
        data: (n, c, height, width) float32.
        weight: (filters, channels of a group, kh, kw) float32.
        groups: of the convolution.

    Returns:
        (n, filters, out height, out width) float32.
    """
    window, (out_y, out_x) = geometry.window, geometry.out_size
    (step_y, step_x), (gap_y, gap_x), (pad_y, pad_x) = (
        window.stride,
        window.dilation,
        window.padding,
    )
    reach_y, reach_x = (
        (out - 1) * step + (taps - 1) * gap + 1
        for out, step, taps, gap in zip(
            geometry.out_size, window.stride, window.taps, window.dilation, strict=True
        )
    )
    n, channels, height, width = data.shape
    padded = np.zeros((n, channels, max(reach_y, pad_y + height), max(reach_x, pad_x + width)))
    padded[:, :, pad_y : pad_y + height, pad_x : pad_x + width] = data
    filters, own = weight.shape[:2]
    by_group = weight.reshape(groups, filters // groups, own, *window.taps).astype(np.float64)
    total = np.zeros((n, groups, filters // groups, out_y * out_x))
    for y, x in itertools.product(*map(range, window.taps)):
        top, left = y * gap_y, x * gap_x
        seen = padded[:, :, top : top + (out_y - 1) * step_y + 1 : step_y]
        seen = seen[..., left : left + (out_x - 1) * step_x + 1 : step_x]
        total += by_group[..., y, x] @ seen.reshape(n, groups, own, -1)
    return total.reshape(geometry.out_shape).astype(np.float32)
