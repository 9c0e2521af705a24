"""Groups the filters of a layer into blocks that lose little by being pruned as one.

Filters that are strong in the same kernels and taps belong together. 1xN pruning (Lin et
al., TPAMI 2022) sorts filters by their norm first, which groups the strong with the
strong. From there pairs of filters change blocks as long as more energy (squared
magnitude) stays: a block keeps, of each kernel, its best pattern, where that is worth more
than the weakest kernel kept.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tvm_patdnn.pruning.connectivity import kept_count
from tvm_patdnn.pruning.filter_blocks import FilterBlocks

__all__ = ["similar_blocks"]

_SWEEPS = 3  # over all pairs of blocks; a fourth gained at most 0.2 %


def similar_blocks(energy: np.ndarray, size: int, rate: float) -> FilterBlocks:
    """Groups filters.

    Args:
        energy: (out_c, in_c, patterns) real, squared norm of what each pattern would leave
            of each kernel; one pattern of all taps where there is no choice.
        size: filters in a block, at least 1; the last block may have fewer.
        rate: kernels before over kernels after, at least 1.
    """
    if size == 1:
        return FilterBlocks.of_neighbours(len(energy), 1)
    order = np.argsort(-energy.sum(axis=(1, 2)), kind="stable")
    blocks = np.split(order.copy(), np.arange(size, len(order), size))
    floor, most = _floor_and_kept(energy, blocks, rate)
    for _ in range(_SWEEPS):
        swaps = [_swap(energy, a, b, floor) for a, b in combinations(blocks, 2)]
        if not any(swaps):
            break
        floor, kept = _floor_and_kept(energy, blocks, rate)
        if kept > most:  # not always, since the floor moves
            most, order = kept, np.concatenate(blocks)
    return FilterBlocks(size=size, order=order)


def _floor_and_kept(
    energy: np.ndarray, blocks: list[np.ndarray], rate: float
) -> tuple[float, float]:
    """Returns the energy of the weakest block of kernels that stays, and of all that stay."""
    found = np.concatenate([energy[block].sum(axis=0).max(axis=-1) for block in blocks])
    strongest = np.sort(found)[-kept_count(found.size, rate) :]
    return float(strongest[0]), float(strongest.sum())


def _swap(energy: np.ndarray, a: np.ndarray, b: np.ndarray, floor: float) -> bool:
    """Exchanges the two filters of ``a`` and ``b`` that gain the most, if any gain."""
    of_a, of_b = energy[a].sum(axis=0), energy[b].sum(axis=0)
    moved = energy[b][None] - energy[a][:, None]  # (a, b, in_c, patterns)
    after = _worth(of_a + moved, floor) + _worth(of_b - moved, floor)
    best = np.unravel_index(int(after.argmax()), after.shape)
    before = _worth(of_a, floor) + _worth(of_b, floor)
    if after[best] <= before * (1 + 1e-9):
        return False
    i, j = best
    a[i], b[j] = b[j], a[i]
    return True


def _worth(energy: np.ndarray, floor: float) -> np.ndarray:
    """Returns what blocks keep beyond the floor: (..., in_c, patterns) to (...)."""
    worth: np.ndarray = np.maximum(energy.max(axis=-1) - floor, 0).sum(axis=-1)
    return worth
