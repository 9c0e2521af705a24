"""Recognises weights that are a fixed table, not filters that were learned.

Detectors of the YOLO family take the expectation of a distribution by a 1x1 convolution with
the weights 0, 1, ... 15 (the integral of Li et al., "Generalized Focal Loss", NeurIPS 2020,
equation 5). Others shift means, average or copy pixels, or compute Haar wavelets, so. Without
a part of its table such a layer is not less exact but wrong, and there is nothing to retrain.
"""

from __future__ import annotations

import numpy as np

__all__ = ["is_fixed_table"]


def is_fixed_table(weight: np.ndarray) -> bool:
    """Tells whether all weights are whole numbers, or zeros and one magnitude.

    What was learned is neither, at any precision of floating point.

    Args:
        weight: any shape, any real dtype.
    """
    magnitudes = np.abs(weight.astype(np.float64))
    largest = magnitudes.max(initial=0)
    if not 0 < largest < np.inf or weight.size < 2:
        return False
    whole = bool((magnitudes == np.rint(magnitudes)).all())
    return whole or bool(((magnitudes == 0) | (magnitudes == largest)).all())
