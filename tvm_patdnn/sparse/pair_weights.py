"""Orders the four weights of entries, so that few pairs of neighbours could overflow.

Instructions that add two products of bytes in 16 bits overflow where two weights of one sign are
large. Which of the four are neighbours is free, if what is multiplied follows: large weights meet
small ones, or those of the other sign.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tvm_patdnn.sparse.pack_quads import PatternQuads
from tvm_patdnn.sparse.quads import FOUR, UNLIMITED, Quads, overflows

__all__ = ["pair_patterns", "pair_taps"]

PAIRINGS = np.array([(0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2)])  # all there are of four


def pair_taps(quads: Quads, limit: int) -> Quads:
    """Returns the entries that ``pack_taps`` made in another order.

    Of each group the weights are sorted, the largest beside the smallest.

    Args:
        limit: what two neighbouring weights of one sign may add up to.
    """
    if limit >= UNLIMITED or not overflows(quads.weight, limit).any():
        return quads
    place = _opposites(quads)
    taps = quads.weight.transpose(0, 2, 1).reshape(-1, quads.group)[place]
    weight = taps.reshape(-1, FOUR, quads.group).transpose(0, 2, 1)
    index = quads.index.reshape(-1)[place].reshape(-1, FOUR)
    order = PAIRINGS[_safest(weight, limit)]
    return replace(
        quads,
        index=np.take_along_axis(index, order, axis=1),
        weight=_ordered(weight, order),
    )


def pair_patterns(packed: PatternQuads, limit: int) -> PatternQuads:
    """Returns the entries that ``pack_patterns`` made, with the taps of some in another order.

    Each order of a pattern's taps that is used is a pattern of its own.

    Args:
        limit: as of ``pair_taps``.
    """
    quads = packed.quads
    if limit >= UNLIMITED or not overflows(quads.weight, limit).any():
        return packed
    channel, pattern = quads.index.T
    pairing = _safest(quads.weight, limit)
    used, kind = np.unique(pattern * len(PAIRINGS) + pairing, return_inverse=True)
    index = np.stack([channel, kind.reshape(-1)], axis=1)
    return PatternQuads(
        quads=replace(quads, index=index, weight=_ordered(quads.weight, PAIRINGS[pairing])),
        patterns=tuple(
            _reordered(packed.patterns[number // len(PAIRINGS)], number % len(PAIRINGS))
            for number in map(int, used)
        ),
    )


def _opposites(quads: Quads) -> np.ndarray:
    """Returns, for each place of all entries, the number of the weights that belong there."""
    counts = np.diff(quads.offset) * FOUR
    first = np.repeat(quads.offset[:-1] * FOUR, counts)
    sums = quads.weight.astype(np.int32).sum(axis=1).reshape(-1)
    by_size = np.lexsort((sums, first))
    rank = np.arange(len(first)) - first
    last = np.repeat(counts, counts) - 1
    return by_size[first + np.where(rank % 2, last - rank // 2, rank // 2)]


def _safest(weight: np.ndarray, limit: int) -> np.ndarray:
    """Returns (entries,): the first pairing that cannot overflow; 0 if all could."""
    safe = [~overflows(weight[..., order], limit) for order in PAIRINGS]
    return np.argmax(safe, axis=0)


def _ordered(weight: np.ndarray, order: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.take_along_axis(weight, order[:, None], axis=2))


def _reordered(pattern: tuple[int, ...], pairing: int) -> tuple[int, ...]:
    """Returns the taps of a pattern in another order; where there is none, weights are 0."""
    taps = (*pattern, *pattern[:1] * (FOUR - len(pattern)))
    return tuple(taps[place] for place in PAIRINGS[pairing])
