"""The projections of all layers of a network together, as the options ask for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tvm_patdnn.pruning.balanced_connectivity import balanced_connectivity_mask
from tvm_patdnn.pruning.connectivity import connectivity_mask
from tvm_patdnn.pruning.filter_blocks import FilterBlocks
from tvm_patdnn.pruning.global_connectivity import global_connectivity_masks
from tvm_patdnn.pruning.mining import candidate_patterns, mine_patterns
from tvm_patdnn.pruning.options import PruneOptions
from tvm_patdnn.pruning.pattern_projection import pattern_energy, pattern_mask
from tvm_patdnn.pruning.plan import LayerPlan
from tvm_patdnn.pruning.similar_filters import similar_blocks
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["PatternSets", "connectivity_masks", "filter_blocks", "pattern_masks", "pattern_sets"]

PatternSets = dict[tuple[int, ...], tuple[Pattern, ...]]


def filter_blocks(
    weights: Sequence[np.ndarray], plans: Sequence[LayerPlan], options: PruneOptions
) -> list[FilterBlocks]:
    """Returns the blocks of each layer's filters.

    Similar filters are found with the patterns of free kernels; those of the blocks may be
    others.
    """
    size = options.filter_block
    neighbours = [FilterBlocks.of_neighbours(len(weight), size) for weight in weights]
    if size == 1 or options.filter_grouping == "neighbours":
        return neighbours
    single = [FilterBlocks.of_neighbours(len(weight), 1) for weight in weights]
    sets = pattern_sets(weights, single, options)
    return [
        similar_blocks(_energy(weight, sets), size, plan.rate)
        for weight, plan in zip(weights, plans, strict=True)
    ]


def _energy(weight: np.ndarray, sets: PatternSets) -> np.ndarray:
    """Returns what each pattern would leave of each kernel: (out_c, in_c, patterns)."""
    size = weight.shape[2:]
    full = Pattern(kernel_shape=(size[0], size[1]), taps=tuple(np.ndindex(*size)))
    return pattern_energy(weight, sets.get(size, (full,)))


def pattern_sets(
    weights: Sequence[np.ndarray], blocks: Sequence[FilterBlocks], options: PruneOptions
) -> PatternSets:
    """Returns the pattern set of each kernel size that has one: given, all, or mined."""
    norms = [each.norms(weight) for each, weight in zip(blocks, weights, strict=True)]
    sets: PatternSets = {}
    for size in sorted(options.pattern_sizes):
        if options.pattern_set is not None:
            sets[size] = tuple(p for p in options.pattern_set if p.kernel_shape == size)
        elif isinstance(options.patterns, int):
            layers = [norm for norm in norms if norm.shape[2:] == size]
            sets[size] = mine_patterns(layers, options.patterns, options.entries)
        else:
            sets[size] = tuple(candidate_patterns(size, options.entries))
    return {size: patterns for size, patterns in sets.items() if patterns}


def pattern_masks(
    weights: Sequence[np.ndarray], blocks: Sequence[FilterBlocks], sets: PatternSets
) -> list[np.ndarray]:
    """Returns the weights that each kernel's nearest pattern keeps: bool, like ``weights``.

    Layers whose kernel size has no set keep all.
    """
    return [_pattern_mask(w, each, sets) for w, each in zip(weights, blocks, strict=True)]


def _pattern_mask(weight: np.ndarray, blocks: FilterBlocks, sets: PatternSets) -> np.ndarray:
    patterns = sets.get(weight.shape[2:])
    if patterns is None:
        return np.ones(weight.shape, bool)
    return blocks.spread(pattern_mask(blocks.norms(weight), patterns))


def connectivity_masks(
    weights: Sequence[np.ndarray],
    blocks: Sequence[FilterBlocks],
    plans: Sequence[LayerPlan],
    options: PruneOptions,
) -> list[np.ndarray]:
    """Returns the kernels each layer keeps: (out_c, in_c) bool.

    Kernels are ranked by what their pattern left, which of all kernels of the set keeps
    the most norm.
    """
    norms = [each.norms(weight) for each, weight in zip(blocks, weights, strict=True)]
    masks = _connectivity_masks(norms, plans, options)
    return [each.spread(mask) for each, mask in zip(blocks, masks, strict=True)]


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
