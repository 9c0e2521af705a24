"""Kernel pattern pruning: the nearest weight in which every kernel has a pattern of the set.

Keeping, per kernel, the pattern with the largest L2 norm is the Euclidean projection
onto the set of pattern-pruned weights (PatDNN, section 4.2, the Z update of its ADMM).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tvm_patdnn.errors import PruningError
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["nearest_patterns", "pattern_energy", "pattern_mask", "project_patterns"]


def nearest_patterns(weight: np.ndarray, patterns: Sequence[Pattern]) -> np.ndarray:
    """Chooses for each kernel the pattern that keeps the largest L2 norm.

    Args:
        weight: (out_c, in_c, kh, kw), any real dtype.
        patterns: the pattern set; of equally good patterns the first wins.

    Returns:
        (out_c, in_c) int64, index into ``patterns``.

    Raises:
        PruningError: the set is empty or made for another kernel size.
    """
    best: np.ndarray = np.argmax(pattern_energy(weight, patterns), axis=-1)
    return best


def pattern_energy(weight: np.ndarray, patterns: Sequence[Pattern]) -> np.ndarray:
    """Returns the squared L2 norm of what each pattern would leave of each kernel.

    Args:
        weight: (out_c, in_c, kh, kw), any real dtype.
        patterns: of that kernel size.

    Returns:
        (out_c, in_c, patterns) float64.

    Raises:
        PruningError: the set is empty or made for another kernel size.
    """
    _check_set(weight, patterns)
    out_c, in_c, height, width = weight.shape
    energy = np.square(weight.astype(np.float64)).reshape(out_c, in_c, height * width)
    taps = np.stack([pattern.mask().reshape(-1) for pattern in patterns]).astype(np.float64)
    found: np.ndarray = energy @ taps.T
    return found


def pattern_mask(weight: np.ndarray, patterns: Sequence[Pattern]) -> np.ndarray:
    """Marks the weights that :func:`project_patterns` keeps: (out_c, in_c, kh, kw) bool."""
    nearest = nearest_patterns(weight, patterns)
    masks: np.ndarray = np.stack([pattern.mask() for pattern in patterns])
    return masks[nearest]


def project_patterns(weight: np.ndarray, patterns: Sequence[Pattern]) -> np.ndarray:
    """Returns a copy of ``weight`` in which each kernel keeps its nearest pattern.

    Args:
        weight: (out_c, in_c, kh, kw), any real dtype, which the result keeps.
        patterns: the pattern set.

    Raises:
        PruningError: the set is empty or made for another kernel size.
    """
    return np.where(pattern_mask(weight, patterns), weight, np.zeros_like(weight))


def _check_set(weight: np.ndarray, patterns: Sequence[Pattern]) -> None:
    if not patterns:
        raise PruningError("the pattern set is empty; give at least one pattern")
    kernel_shape = tuple(weight.shape[2:])
    for pattern in patterns:
        if pattern.kernel_shape != kernel_shape:
            have, want = ("x".join(map(str, s)) for s in (kernel_shape, pattern.kernel_shape))
            raise PruningError(
                f"pattern {pattern} is made for {want} kernels, got a weight with {have} "
                "kernels; use connectivity pruning for this layer or a set of its size"
            )
