"""FKW storage: a pruned convolution weight, packed in the order in which it is computed.

Filter-kernel reorder (FKR; PatDNN, section 5.2) sorts the filters that one thread computes
by the number of kept kernels, and the kernels of a filter by pattern; the threads' shares
are neighbouring filters, as they read what they have written. The layout (section 5.3) stores
the kept weights in that order beside the few numbers that locate them:

    reorder  where each stored filter stands in the output
    offset   first kernel of each group of filters
    stride   first kernel of each pattern inside a group
    index    input channel of each kernel
    weight   the kept weights of each kernel, pattern by pattern

Groups of more than one filter share a list of kernels, so that a loaded input serves all
of them: that is how layers without connectivity pruning are stored, and those in which
several filters were pruned as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvm_patdnn.sparse.packed_kernels import PackedKernels
from tvm_patdnn.sparse.packing import KernelList, equal_shares, group_members, packed_arrays
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["FKW", "pack_fkw"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FKW(PackedKernels):
    """A packed weight: a slot has a run of kernels for each of ``patterns``, in their order."""

    @property
    def entries(self) -> tuple[int, ...]:
        """See ``PackedKernels``."""
        return tuple(len(pattern) for pattern in self.patterns)

    @property
    def kernel_counts(self) -> tuple[int, ...]:
        """See ``PackedKernels``."""
        return tuple(int(n) for n in np.diff(self.stride.astype(np.int64), axis=1).sum(axis=0))

    def pattern_of(self, slot: int, kernel: int) -> int:
        """See ``PackedKernels``."""
        in_slot = kernel - int(self.offset[slot])
        return int(np.searchsorted(self.stride[slot], in_slot, side="right")) - 1


def pack_fkw(
    weight: np.ndarray,
    ids: np.ndarray,
    patterns: Sequence[Pattern],
    group: int = 1,
    band: int | None = None,
    chunks: int = 1,
) -> FKW:
    """Reorders and packs a weight.

    Args:
        weight: (filters, channels per group, kh, kw) float32; zero outside the kernels'
            patterns.
        ids: (filters, channels) int, pattern of each kernel, -1 for kernels not stored,
            such as those between the groups of a grouped convolution.
        patterns: what ``ids`` counts; each must cover its kernels' weights.
        group: filters that share a list of kernels: any that have the same ``ids``, as all of
            a layer without connectivity pruning.
        band: channels of a band; all by default.
        chunks: ranges of neighbouring filters, of nearly equal work, that are each sorted for
            themselves.
    """
    filters, channels = ids.shape
    members = _sorted_members(ids, group, chunks)
    lists = ids[members[:, 0]]
    bands = -(-channels // band) if band else 1
    of_group, channel = np.nonzero(lists >= 0)
    pattern = lists[of_group, channel]
    slot = (channel // band if band else 0) * len(members) + of_group
    arrays = packed_arrays(
        weight,
        KernelList.of(slot, pattern, channel, pattern),
        patterns,
        members,
        channels=channels,
        bands=bands,
        entries=np.array([len(p) for p in patterns], np.int64),
    )
    return FKW(
        filters=filters,
        channels=channels,
        patterns=tuple(patterns),
        group=group,
        bands=bands,
        **arrays,
    )


def _sorted_members(ids: np.ndarray, group: int, chunks: int) -> np.ndarray:
    """Returns (groups, group) int: the filters, each chunk's groups sorted by kept kernels."""
    members = group_members(ids, group)
    kept = (ids[members[:, 0]] >= 0).sum(axis=1)
    chunk = np.repeat(np.arange(chunks), np.diff(equal_shares(kept, chunks)))
    return members[np.lexsort((-kept, chunk))]
