"""Connectivity pruning in which the kernels of all layers compete."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tvm_patdnn.pruning.connectivity import kept_count, kernel_energy, strength_ranks

__all__ = ["global_connectivity_masks"]


def global_connectivity_masks(weights: Sequence[np.ndarray], rate: float) -> list[np.ndarray]:
    """Marks the kernels to keep when those of all layers compete.

    Norms of different layers cannot be compared (a batch norm behind a layer hides its
    scale), so kernels compete by the layer-adaptive score of Lee et al. (ICLR 2021,
    "LAMP"): the squared norm of a kernel over the sum of those of its layer that are at
    least as strong. A layer with few strong kernels is pruned harder. Each layer keeps
    at least one kernel.

    Args:
        weights: layers (out_c, in_c, kh, kw), any real dtype, any kernel sizes.
        rate: kernels of all layers before over kernels after, at least 1.

    Returns:
        One (out_c, in_c) bool mask per layer.

    Raises:
        PruningError: the rate is below 1.
    """
    scores = [_layer_adaptive_scores(kernel_energy(weight)) for weight in weights]
    if not scores:
        return []
    every = np.concatenate([score.reshape(-1) for score in scores])
    kept = strength_ranks(every[None])[0] < max(kept_count(every.size, rate), len(scores))
    parts = np.split(kept, np.cumsum([score.size for score in scores])[:-1])
    return [part.reshape(score.shape) for part, score in zip(parts, scores, strict=True)]


def _layer_adaptive_scores(energy: np.ndarray) -> np.ndarray:
    """Returns LAMP scores of one layer, infinite for its strongest kernel."""
    flat = energy.reshape(-1)
    order = np.argsort(-flat, kind="stable")
    total = np.cumsum(flat[order])
    scores = np.empty_like(flat)
    scores[order] = flat[order] / np.maximum(total, np.finfo(np.float64).tiny)
    scores[order[0]] = np.inf
    return scores.reshape(energy.shape)
