"""Random weights of the kinds that the kernels are for, of any size.

Tests take small ones, of the kernels' samples; benches take the same ones in sizes that occur.
"""

from __future__ import annotations

import numpy as np

from tvm_patdnn.sparse.patterns import Pattern

__all__ = [
    "connectivity_weight",
    "dense_weight",
    "depthwise_weight",
    "pattern_weight",
    "pruned_matrix",
]

PATTERNS = ("##./##./...", ".##/.##/...", ".#./###/...")
PRUNED_TOGETHER = 16  # outputs of a matrix: a vector of most CPUs, or several


def dense_weight(filters: int, channels: int, size: int) -> np.ndarray:
    """Returns (filters, channels, size, size) float32 without a zero."""
    rng = np.random.default_rng(0)
    return rng.uniform(0.5, 1, (filters, channels, size, size)).astype(np.float32)


def pattern_weight(filters: int, channels: int) -> np.ndarray:
    """Returns (filters, channels, 3, 3) float32: three patterns, half of the kernels gone."""
    masks = np.array([Pattern.from_picture(picture).mask() for picture in PATTERNS])
    rng = np.random.default_rng(1)
    mask = masks[rng.integers(len(masks), size=(filters, channels))]
    kept = rng.random((filters, channels, 1, 1)) < 0.5
    return dense_weight(filters, channels, 3) * (mask & kept)


def connectivity_weight(filters: int, channels: int) -> np.ndarray:
    """Returns (filters, channels, 1, 1) float32, most of it zero."""
    kept = np.random.default_rng(2).random((filters, channels, 1, 1)) < 0.4
    return dense_weight(filters, channels, 1) * kept


def depthwise_weight(channels: int) -> np.ndarray:
    """Returns (channels, 1, 3, 3) float32 without a zero."""
    return dense_weight(channels, 1, 3)


def pruned_matrix(inputs: int, outputs: int) -> np.ndarray:
    """Returns (inputs, outputs) float32, pruned in vectors of neighbouring outputs."""
    rng = np.random.default_rng(0)
    vectors = -(-outputs // PRUNED_TOGETHER)
    kept = rng.random((inputs, vectors)) < 0.3
    kept[:, -1] = False  # one of which nothing is left
    kept = np.repeat(kept, PRUNED_TOGETHER, axis=1)[:, :outputs]
    return rng.uniform(0.5, 1, (inputs, outputs)).astype(np.float32) * kept
