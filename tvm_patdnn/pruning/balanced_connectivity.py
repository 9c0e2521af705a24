"""Connectivity pruning that leaves equal work in every filter and channel block."""

from __future__ import annotations

import numpy as np

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning.connectivity import kept_count, kernel_energy, strength_ranks

__all__ = ["balanced_connectivity_mask"]


def balanced_connectivity_mask(
    weight: np.ndarray, rate: float, *, channel_block: int = 16
) -> np.ndarray:
    """Marks the kernels to keep when every filter gets equally many in every block.

    Equal work per filter and block of input channels is what vectorised kernels like
    best. Each filter keeps ``round(in_c / rate)`` kernels, at least one; what does not
    divide by the number of blocks goes to the blocks that gain the most norm by it.

    Args:
        weight: (out_c, in_c, kh, kw), any real dtype.
        rate: kernels before over kernels after, at least 1.
        channel_block: input channels in a block; the last may be smaller.

    Returns:
        (out_c, in_c) bool.

    Raises:
        PruningError: the rate or the block is below 1.
    """
    if channel_block < 1:
        raise PruningError(f"channel_block must be at least 1, got {channel_block}")
    energy = kernel_energy(weight)
    in_c = energy.shape[1]
    starts = np.arange(0, in_c, channel_block)
    sizes = np.minimum(channel_block, in_c - starts)
    ranks = np.hstack([strength_ranks(energy[:, s : s + channel_block]) for s in starts])
    quotas = sizes * kept_count(in_c, rate) // in_c
    extra = kept_count(in_c, rate) - int(quotas.sum())
    next_best = np.where(ranks == np.repeat(quotas, sizes), energy, 0).sum(axis=0)
    gain = np.add.reduceat(next_best, starts)
    quotas[np.argsort(-gain, kind="stable")[:extra]] += 1
    return ranks < np.repeat(quotas, sizes)
