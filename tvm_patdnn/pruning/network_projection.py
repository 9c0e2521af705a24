"""The projections of all layers of a network together, as the options ask for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tvm_patdnn.patterns import Pattern
from tvm_patdnn.pruning.balanced_connectivity import balanced_connectivity_mask
from tvm_patdnn.pruning.connectivity import connectivity_mask
from tvm_patdnn.pruning.global_connectivity import global_connectivity_masks
from tvm_patdnn.pruning.mining import mine_patterns
from tvm_patdnn.pruning.options import ConnectivityScope, PruneOptions
from tvm_patdnn.pruning.pattern_projection import project_patterns
from tvm_patdnn.pruning.plan import LayerPlan

__all__ = ["apply_patterns", "connectivity_masks"]


def apply_patterns(weights: Sequence[np.ndarray], options: PruneOptions) -> list[np.ndarray]:
    """Projects the weights whose kernel size has a pattern set, and returns all."""
    sets = _pattern_sets(weights, options)
    return [
        project_patterns(weight, sets[weight.shape[2:]]) if weight.shape[2:] in sets else weight
        for weight in weights
    ]


def connectivity_masks(
    weights: Sequence[np.ndarray], plans: Sequence[LayerPlan], scope: ConnectivityScope
) -> list[np.ndarray]:
    """Returns the kernels each layer keeps: (out_c, in_c) bool.

    Kernels are ranked by what their pattern left, which of all kernels of the set keeps
    the most norm.
    """
    mask = balanced_connectivity_mask if scope == "balanced" else connectivity_mask
    masks = [mask(weight, plan.rate) for weight, plan in zip(weights, plans, strict=True)]
    if scope != "global":
        return masks
    competing = [i for i, plan in enumerate(plans) if not plan.own_rate]
    for rate in {plans[i].rate for i in competing}:
        peers = [i for i in competing if plans[i].rate == rate]
        joint = global_connectivity_masks([weights[i] for i in peers], rate)
        for i, peer_mask in zip(peers, joint, strict=True):
            masks[i] = peer_mask
    return masks


def _pattern_sets(
    weights: Sequence[np.ndarray], options: PruneOptions
) -> dict[tuple[int, ...], tuple[Pattern, ...]]:
    """Returns the pattern set of each kernel size, given or mined."""
    given = options.pattern_set
    if given is not None:
        return {
            size: tuple(p for p in given if p.kernel_shape == size)
            for size in options.pattern_sizes
        }
    by_size = {
        size: [weight for weight in weights if weight.shape[2:] == size]
        for size in options.pattern_kernels
    }
    mined = {
        size: mine_patterns(layers, options.pattern_count, options.entries)
        for size, layers in by_size.items()
    }
    return {size: patterns for size, patterns in mined.items() if patterns}
