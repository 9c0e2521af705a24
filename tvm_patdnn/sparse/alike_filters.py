"""Finds filters whose kept weights are nearly in the same places, wherever they are in a layer.

Quantising makes a few of the kept weights 0, so that filters that were pruned to the same
kernels are no longer the same.
"""

from __future__ import annotations

import numpy as np

__all__ = ["alike_order"]

SHARED = 0.8  # of the places of either filter, at least; of filters pruned alone it is about 0.3


def alike_order(weight: np.ndarray) -> np.ndarray | None:
    """Returns (filters,) int: an order in which filters that are alike are neighbours.

    None: they are neighbours as they are, or there are none.

    Args:
        weight: (filters, ...) of any numbers.
    """
    kept = (weight != 0).reshape(len(weight), -1).astype(np.float32)
    counts = kept.sum(axis=1)
    alike = kept @ kept.T >= SHARED * np.maximum(counts[:, None], counts)
    free = np.ones(len(weight), bool)
    order: list[int] = []
    for filter_ in range(len(weight)):
        if free[filter_]:
            same = np.flatnonzero(alike[filter_] & free)
            free[same] = False
            order += same.tolist()
    found = np.array(order, np.int64)
    return None if np.array_equal(found, np.arange(len(weight))) else found
