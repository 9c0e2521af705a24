"""The weight of a convolution of bytes as products of transformed words take it."""

from __future__ import annotations

import numpy as np

from te_schedules.cpu.int8.winograd_transform import IntegerTransform

__all__ = ["transform_weight"]


def transform_weight(
    weight: np.ndarray, y: IntegerTransform, x: IntegerTransform, *, group: int, depth: int
) -> np.ndarray:
    """Transforms a weight.

    Args:
        weight: (filters, channels, 3, 3) int8.
        group: filters that lie beside each other; the last group begins so early that it is full.
        depth: channels that do, for each of these.

    Returns:
        (products of a tile, groups, channels / depth, group, depth) int16.
    """
    filters, channels = weight.shape[:2]
    taps = weight.reshape(filters * channels, -1).T.astype(np.float32)
    both = np.kron(y.of_taps, x.of_taps).astype(np.float32)
    values = (both @ taps).astype(np.int16)  # whole numbers stay exact
    values = values.reshape(len(both), filters, channels)
    values = np.pad(values, ((0, 0), (0, 0), (0, -channels % depth)))
    first = np.minimum(np.arange(0, filters, group), filters - group)
    grouped = values[:, first[:, None] + np.arange(group)]
    grouped = grouped.reshape(len(both), len(first), group, -1, depth)
    return np.ascontiguousarray(grouped.transpose(0, 1, 3, 2, 4))
