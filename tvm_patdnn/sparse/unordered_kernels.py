"""Kernels in the order of the model, each with the number of its pattern.

It is what FKW is measured against: the same weights without filter-kernel reorder, or as a
generic sparse matrix (CSR), each weight by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvm_patdnn.sparse.packed_kernels import PackedKernels
from tvm_patdnn.sparse.packing import KernelList, packed_arrays
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["UnorderedKernels", "pack_single_taps", "pack_unordered"]


@dataclass(frozen=True, kw_only=True, eq=False)
class UnorderedKernels(PackedKernels):
    """A packed weight of single filters, whose slots have one run.

    All kernels have as many weights as the largest pattern has taps, the last ones 0.

    Attributes:
        pattern: (kernels,) uint16, pattern of each kernel.
    """

    pattern: np.ndarray

    @property
    def entries(self) -> tuple[int, ...]:
        """See ``PackedKernels``."""
        return len(self.patterns) * (max(map(len, self.patterns), default=0),)

    @property
    def kernel_counts(self) -> tuple[int, ...]:
        """See ``PackedKernels``."""
        return tuple(np.bincount(self.pattern, minlength=len(self.patterns)).tolist())

    @property
    def structure(self) -> tuple[np.ndarray, ...]:
        """See ``PackedKernels``."""
        return (*super().structure, self.pattern)

    def pattern_of(self, slot: int, kernel: int) -> int:
        """See ``PackedKernels``."""
        return int(self.pattern[kernel])


def pack_unordered(
    weight: np.ndarray,
    ids: np.ndarray,
    patterns: Sequence[Pattern],
    band: int | None = None,
) -> UnorderedKernels:
    """Packs a weight filter by filter, channel by channel.

    Args:
        weight, ids, patterns, band: as of ``pack_fkw``.
    """
    filter_of, channel = np.nonzero(ids >= 0)
    return _packed(weight, ids.shape, (filter_of, channel, ids[filter_of, channel]), patterns, band)


def pack_single_taps(
    weight: np.ndarray,
    ids: np.ndarray,
    patterns: Sequence[Pattern],
    band: int | None = None,
) -> UnorderedKernels:
    """Packs a weight as a generic sparse matrix does: each tap is a kernel of its own.

    Args:
        weight, ids, patterns, band: as of ``pack_fkw``.
    """
    if not patterns:
        return pack_unordered(weight, ids, patterns, band)
    filter_of, channel = np.nonzero(ids >= 0)
    shape = patterns[0].kernel_shape
    masks = np.array([p.mask().reshape(-1) for p in patterns])
    kernel, tap = np.nonzero(masks[ids[filter_of, channel]])
    singles = tuple(Pattern(kernel_shape=shape, taps=(at,)) for at in np.ndindex(*shape))
    return _packed(weight, ids.shape, (filter_of[kernel], channel[kernel], tap), singles, band)


def _packed(
    weight: np.ndarray,
    shape: tuple[int, int],
    kernels: tuple[np.ndarray, np.ndarray, np.ndarray],
    patterns: Sequence[Pattern],
    band: int | None,
) -> UnorderedKernels:
    """Packs kernels that are given by filter, channel and pattern: (kernels,) int each."""
    (filters, channels), (filter_of, channel, pattern) = shape, kernels
    bands = -(-channels // band) if band else 1
    slot = (channel // band if band else 0) * filters + filter_of
    listed = KernelList.of(slot, np.zeros_like(pattern), channel, pattern)
    entries = [max(map(len, patterns))] if patterns else []
    arrays = packed_arrays(
        weight,
        listed,
        patterns,
        np.arange(filters).reshape(-1, 1),
        channels=channels,
        bands=bands,
        entries=np.array(entries, np.int64),
    )
    return UnorderedKernels(
        filters=filters,
        channels=channels,
        patterns=tuple(patterns),
        group=1,
        bands=bands,
        pattern=listed.pattern.astype(np.uint16),
        **arrays,
    )
