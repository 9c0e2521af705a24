"""Finds entries of int8 weights whose products may be added before they are widened.

Instructions that multiply bytes in pairs have sums of 16 bits, which are widened to 32 by another
instruction. Where the weights are small enough, the sums of two entries fit in 16 bits together,
and are widened together. Which entries of a list are neighbours is free: a large one meets a
small one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tvm_patdnn.sparse.quads import FOUR, Quads

__all__ = ["couple_entries"]

NEAR = (18, 18, 72, 72, 1 << 20, 1 << 20)  # entries among which partners are looked for, by turns


def couple_entries(quads: Quads, limit: int) -> Quads:
    """Returns the entries in another order: those of each list that are coupled come first.

    Args:
        limit: what the weights of one sign that are added in 16 bits may add up to.
    """
    group_of = np.repeat(np.arange(len(quads.offset) - 1), np.diff(quads.offset))
    first, second = _couples(_signed_sums(quads.weight), group_of, quads.offset, limit)
    partner = np.arange(quads.entries)
    partner[second] = first
    alone = np.ones(quads.entries, bool)
    alone[first] = alone[second] = False
    order = np.lexsort((np.arange(quads.entries), partner, alone, group_of))
    coupled = np.bincount(group_of[~alone], minlength=len(quads.offset) - 1)
    return replace(
        quads,
        index=quads.index[order],
        weight=quads.weight[order],
        coupled=(quads.offset[:-1] + coupled).astype(np.int32),
    )


def _signed_sums(weight: np.ndarray) -> np.ndarray:
    """Returns (entries, numbers) int16: sums of neighbouring weights of either sign."""
    pairs = weight.astype(np.int16).reshape(len(weight), -1, FOUR // 2, 2)
    sums = [np.maximum(sign * pairs, 0).sum(axis=3, dtype=np.int16) for sign in (1, -1)]
    return np.concatenate(sums, axis=2).reshape(len(weight), -1)


def _couples(
    sums: np.ndarray, group_of: np.ndarray, first_of: np.ndarray, limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the numbers of entries that are coupled: of the first ones, and of their partners."""
    rng = np.random.default_rng(0)
    left, found = np.arange(len(sums)), []
    for turn, near in enumerate(NEAR):
        keys = rng.random(len(left)) if turn % 2 else sums[left].max(axis=1)
        stretch = (left - first_of[group_of[left]]) // near
        order = np.lexsort((keys, stretch, group_of[left]))
        one, other = _opposites(group_of[left][order], stretch[order])
        fits = (sums[left[order[one]]] + sums[left[order[other]]] <= limit).all(axis=1)
        couple = order[one[fits]], order[other[fits]]
        found.append((left[couple[0]], left[couple[1]]))
        left = np.delete(left, np.concatenate(couple))
    pairs = [np.concatenate(each) for each in zip(*found, strict=True)]
    return np.minimum(*pairs), np.maximum(*pairs)


def _opposites(group_of: np.ndarray, stretch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns places in stretches of lists, from their beginnings and as far from their ends."""
    begins = np.flatnonzero(np.diff(group_of, prepend=-1) | np.diff(stretch, prepend=-1))
    counts = np.diff(begins, append=len(group_of))
    half = counts // 2
    first = np.repeat(begins, half)
    rank = np.arange(half.sum()) - np.repeat(np.cumsum(half) - half, half)
    return first + rank, first + np.repeat(counts, half) - 1 - rank
