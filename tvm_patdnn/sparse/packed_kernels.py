"""Kernels of a pruned convolution in lists, one for each group of filters and band of channels.

In which order a list has its kernels, and how it says which pattern each of them has, is up
to the formats: ``fkw`` and ``unordered_kernels``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from tvm_patdnn.sparse.packing import equal_shares
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["PackedKernels"]


@dataclass(frozen=True, kw_only=True, eq=False)
class PackedKernels(ABC):
    """A packed weight of ``filters`` x ``channels`` kernels.

    Attributes:
        patterns: those that kernels have.
        group: filters that share one list of kernels; where fewer have the same, a group
            repeats its last filter.
        reorder: (groups * group,) uint16 or int32, output channel of each stored filter.
        bands: ranges of channels into which every group's kernels are divided; the arrays
            below have a slot for each band and, within it, each group.
        offset: (slots + 1,) int32, first kernel of each slot.
        weight_offset: (slots + 1,) int32, first weight of each slot.
        stride: (slots, runs + 1) uint16 or int32, first kernel of each run of a slot,
            counted from the slot's first; at its end the number of its kernels.
        index: (kernels,) uint16 or int32, input channel of each kernel.
        weight: (weights,) float32, for each kernel its taps and for each tap its filters.
    """

    filters: int
    channels: int
    patterns: tuple[Pattern, ...]
    group: int
    bands: int = 1
    reorder: np.ndarray
    offset: np.ndarray
    weight_offset: np.ndarray
    stride: np.ndarray
    index: np.ndarray
    weight: np.ndarray

    @property
    @abstractmethod
    def entries(self) -> tuple[int, ...]:
        """Stored weights of a kernel of each pattern, of one filter."""

    @property
    @abstractmethod
    def kernel_counts(self) -> tuple[int, ...]:
        """Kernels of each pattern, over all groups."""

    @abstractmethod
    def pattern_of(self, slot: int, kernel: int) -> int:
        """Returns the pattern of a kernel, counted over all slots, which is in ``slot``."""

    @property
    def groups(self) -> int:
        """Number of groups of filters."""
        return len(self.reorder) // self.group

    @property
    def runs(self) -> int:
        """Into how many runs the kernels of a slot are divided."""
        return self.stride.shape[1] - 1

    @property
    def structure(self) -> tuple[np.ndarray, ...]:
        """Everything but the weights."""
        return (self.reorder, self.offset, self.weight_offset, self.stride, self.index)

    @property
    def structure_bytes(self) -> int:
        """Bytes of everything but the weights."""
        return sum(array.nbytes for array in self.structure)

    @property
    def total_bytes(self) -> int:
        """Bytes of the packed weight."""
        return self.structure_bytes + self.weight.nbytes

    def balanced_chunks(self, chunks: int) -> np.ndarray:
        """Cuts the groups into ranges of nearly equal work.

        Returns:
            (chunks + 1,) int32, first group of each range.
        """
        weights = np.diff(self.weight_offset).reshape(self.bands, self.groups).sum(axis=0)
        return equal_shares(weights, chunks)

    def unpack(self) -> np.ndarray:
        """Returns the weight (filters, channels, kh, kw) float32 that is stored."""
        kernel_shape = self.patterns[0].kernel_shape if self.patterns else (1, 1)
        weight = np.zeros((self.filters, self.channels, *kernel_shape), np.float32)
        for slot in range(self.bands * self.groups):
            at, g = int(self.weight_offset[slot]), slot % self.groups
            filters = self.reorder[g * self.group : (g + 1) * self.group]
            for kernel in range(int(self.offset[slot]), int(self.offset[slot + 1])):
                p = self.pattern_of(slot, kernel)
                for tap, (y, x) in enumerate(self.patterns[p].taps):
                    start = at + tap * self.group
                    weight[filters, self.index[kernel], y, x] = self.weight[
                        start : start + self.group
                    ]
                at += self.entries[p] * self.group
        return weight
