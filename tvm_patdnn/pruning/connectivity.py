"""Connectivity pruning: only the strongest kernels of a layer stay.

A rate of 3.6 keeps 1 of 3.6 kernels, those with the largest L2 norm (PatDNN,
section 4.2). Here kernels compete within their layer; see ``global_connectivity`` and
``balanced_connectivity`` for the other scopes.
"""

from __future__ import annotations

import numpy as np

from tvm_patdnn.errors import PruningError

__all__ = [
    "connectivity_mask",
    "kept_count",
    "kernel_energy",
    "project_connectivity",
    "strength_ranks",
]


def connectivity_mask(weight: np.ndarray, rate: float) -> np.ndarray:
    """Marks the strongest ``1/rate`` of the layer's kernels, at least one.

    Args:
        weight: (out_c, in_c, kh, kw), any real dtype. Of equally strong kernels the
            first wins.
        rate: kernels before over kernels after, at least 1.

    Returns:
        (out_c, in_c) bool.

    Raises:
        PruningError: the rate is below 1.
    """
    energy = kernel_energy(weight)
    ranks = strength_ranks(energy.reshape(1, -1)).reshape(energy.shape)
    kept: np.ndarray = ranks < kept_count(energy.size, rate)
    return kept


def project_connectivity(weight: np.ndarray, rate: float) -> np.ndarray:
    """Returns a copy of ``weight`` with all but the strongest ``1/rate`` kernels zero.

    This is the Euclidean projection of the paper; see :func:`connectivity_mask`.
    """
    mask = connectivity_mask(weight, rate)[:, :, None, None]
    return np.where(mask, weight, np.zeros_like(weight))


def kept_count(kernels: int, rate: float) -> int:
    """Returns how many of ``kernels`` stay at ``rate``: at least one."""
    if not rate >= 1:
        raise PruningError(
            f"a connectivity rate is kernels before over kernels after, at least 1; got {rate}"
        )
    return max(1, round(kernels / rate))


def kernel_energy(weight: np.ndarray) -> np.ndarray:
    """Returns the squared L2 norm of each kernel: (out_c, in_c) float64."""
    energy: np.ndarray = np.square(weight.astype(np.float64)).sum(axis=(2, 3))
    return energy


def strength_ranks(values: np.ndarray) -> np.ndarray:
    """Returns the place of each value in its row, the largest being 0: (rows, n)."""
    order = np.argsort(-values, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(values.shape[1])[None], axis=1)
    return ranks
