"""The projections of all layers of a network together, as the options ask for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tvm_patdnn.pruning.balanced_connectivity import balanced_connectivity_mask
from tvm_patdnn.pruning.connectivity import connectivity_mask
from tvm_patdnn.pruning.filter_blocks import block_norms, spread_blocks
from tvm_patdnn.pruning.global_connectivity import global_connectivity_masks
from tvm_patdnn.pruning.mining import mine_patterns
from tvm_patdnn.pruning.options import PruneOptions
from tvm_patdnn.pruning.pattern_projection import pattern_mask
from tvm_patdnn.pruning.plan import LayerPlan
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["PatternSets", "connectivity_masks", "pattern_masks", "pattern_sets"]

PatternSets = dict[tuple[int, ...], tuple[Pattern, ...]]


def pattern_sets(weights: Sequence[np.ndarray], options: PruneOptions) -> PatternSets:
    """Returns the pattern set of each kernel size that has one, given or mined."""
    given = options.pattern_set
    sets: PatternSets = {}
    for size in sorted(options.pattern_sizes):
        if given is not None:
            sets[size] = tuple(p for p in given if p.kernel_shape == size)
            continue
        layers = [block_norms(w, options.filter_block) for w in weights if w.shape[2:] == size]
        sets[size] = mine_patterns(layers, options.pattern_count, options.entries)
    return {size: patterns for size, patterns in sets.items() if patterns}


def pattern_masks(
    weights: Sequence[np.ndarray], sets: PatternSets, options: PruneOptions
) -> list[np.ndarray]:
    """Returns the weights that each kernel's nearest pattern keeps: bool, like ``weights``.

    Layers whose kernel size has no set keep all.
    """
    return [_pattern_mask(weight, sets, options.filter_block) for weight in weights]


def _pattern_mask(weight: np.ndarray, sets: PatternSets, block: int) -> np.ndarray:
    if weight.shape[2:] not in sets:
        return np.ones(weight.shape, bool)
    of_blocks = pattern_mask(block_norms(weight, block), sets[weight.shape[2:]])
    return spread_blocks(of_blocks, block, len(weight))


def connectivity_masks(
    weights: Sequence[np.ndarray], plans: Sequence[LayerPlan], options: PruneOptions
) -> list[np.ndarray]:
    """Returns the kernels each layer keeps: (out_c, in_c) bool.

    Kernels are ranked by what their pattern left, which of all kernels of the set keeps
    the most norm.
    """
    block = options.filter_block
    masks = _connectivity_masks([block_norms(w, block) for w in weights], plans, options)
    return [
        spread_blocks(mask, block, len(weight)) for mask, weight in zip(masks, weights, strict=True)
    ]


def _connectivity_masks(
    weights: Sequence[np.ndarray], plans: Sequence[LayerPlan], options: PruneOptions
) -> list[np.ndarray]:
    scope = options.connectivity_scope
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
