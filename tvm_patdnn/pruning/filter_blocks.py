"""Blocks of neighbouring filters that are pruned as one.

The filters of a block keep the same kernels, and those the same patterns, so that the
compiler stores one list of kernels for them and loads each input once for all. Blocks of
2 and 4 output channels are known from sparse 1x1 layers (Elsen et al., "Fast Sparse
ConvNets", CVPR 2020, section 4.2); here they hold for patterns, too.

Every projection ranks squared magnitudes, so a block is projected as one filter whose
weights are the norms over the block.
"""

from __future__ import annotations

import numpy as np

__all__ = ["block_norms", "spread_blocks"]


def block_norms(weight: np.ndarray, size: int) -> np.ndarray:
    """Returns the L2 norm of each weight position over the filters of a block.

    Args:
        weight: (out_c, in_c, kh, kw), any real dtype.
        size: filters in a block, at least 1; the last block may have fewer.

    Returns:
        (blocks, in_c, kh, kw) float64; with blocks of one filter ``weight`` itself.
    """
    if size == 1:
        return weight
    squares = np.square(weight.astype(np.float64))
    starts = np.arange(0, len(weight), size)
    norms: np.ndarray = np.sqrt(np.add.reduceat(squares, starts, axis=0))
    return norms


def spread_blocks(of_blocks: np.ndarray, size: int, out_c: int) -> np.ndarray:
    """Gives each of ``out_c`` filters what was found for its block: (out_c, ...)."""
    return np.repeat(of_blocks, size, axis=0)[:out_c]
