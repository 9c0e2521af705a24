"""Blocks of filters that are pruned as one.

The filters of a block keep the same kernels, and those the same patterns, so that the
compiler stores one list of kernels for them and loads each input once for all. Blocks of
2 and 4 output channels are known from sparse 1x1 layers (Elsen et al., "Fast Sparse
ConvNets", CVPR 2020, section 4.2), and for all kernels as the 1xN pattern (Lin et al.,
"1xN Pattern for Pruning Convolutional Neural Networks", TPAMI 2022); here they hold for
patterns, too.

Every projection ranks squared magnitudes, so a block is projected as one filter whose
weights are the norms over the block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["FilterBlocks"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FilterBlocks:
    """Which filters of one layer belong together.

    Attributes:
        size: filters in a block, at least 1; the last block may have fewer.
        order: (out_c,) int, the filters of the first block, then those of the second, ...
    """

    size: int
    order: np.ndarray

    @classmethod
    def of_neighbours(cls, filters: int, size: int) -> FilterBlocks:
        """Makes blocks of filters beside each other."""
        return cls(size=size, order=np.arange(filters))

    def norms(self, weight: np.ndarray) -> np.ndarray:
        """Returns the L2 norm of each weight position over the filters of a block.

        Args:
            weight: (out_c, in_c, kh, kw), any real dtype.

        Returns:
            (blocks, in_c, kh, kw) float64; with blocks of one filter ``weight`` itself.
        """
        if self.size == 1:
            return weight
        squares = np.square(weight[self.order].astype(np.float64))
        starts = np.arange(0, len(weight), self.size)
        norms: np.ndarray = np.sqrt(np.add.reduceat(squares, starts, axis=0))
        return norms

    def spread(self, of_blocks: np.ndarray) -> np.ndarray:
        """Gives each filter what was found for its block: (out_c, ...)."""
        of_filters = np.empty((len(self.order), *of_blocks.shape[1:]), of_blocks.dtype)
        of_filters[self.order] = np.repeat(of_blocks, self.size, axis=0)[: len(self.order)]
        return of_filters
