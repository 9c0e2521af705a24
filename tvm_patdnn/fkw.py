"""FKW storage: a pruned convolution weight, packed in the order in which it is computed.

Filter-kernel reorder (FKR; PatDNN, section 5.2) sorts the filters by the number of kept
kernels, and the kernels of a filter by pattern; the packed layout (section 5.3) stores
the kept weights in that order beside the few numbers that locate them:

    reorder  where each stored filter stands in the output
    offset   first kernel of each group of filters
    stride   first kernel of each pattern inside a group
    index    input channel of each kernel
    weight   the kept weights of each kernel, pattern by pattern

Groups of more than one filter share a list of kernels, so that a loaded input serves all
of them: that is how layers without connectivity pruning are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvm_patdnn.patterns import Pattern

__all__ = ["FKW", "pack_fkw", "unpack_fkw"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FKW:
    """A packed weight of ``filters`` x ``channels`` kernels.

    Attributes:
        patterns: the patterns, in the order of a group's kernels.
        group: filters that share one list of kernels; the last group repeats its last
            filter where ``filters`` is no multiple.
        reorder: (groups * group,) uint16 or int32, output channel of each stored filter.
        windows: runs of channels into which every group's kernels are divided; the arrays
            below have a slot for each window and, within it, each group.
        offset: (slots + 1,) int32, first kernel of each slot.
        weight_offset: (slots + 1,) int32, first weight of each slot.
        stride: (slots, patterns + 1) uint16 or int32, first kernel of each pattern,
            counted from the slot's first.
        index: (kernels,) uint16 or int32, input channel of each kernel.
        weight: (weights,) float32, for each kernel its taps and for each tap its filters.
    """

    filters: int
    channels: int
    patterns: tuple[Pattern, ...]
    group: int
    windows: int = 1
    reorder: np.ndarray
    offset: np.ndarray
    weight_offset: np.ndarray
    stride: np.ndarray
    index: np.ndarray
    weight: np.ndarray

    @property
    def groups(self) -> int:
        """Number of groups of filters."""
        return len(self.reorder) // self.group

    @property
    def structure(self) -> tuple[np.ndarray, ...]:
        """Everything but the weights, in the order of a kernel's arguments."""
        return (self.reorder, self.offset, self.weight_offset, self.stride, self.index)

    @property
    def structure_bytes(self) -> int:
        """Bytes of everything but the weights."""
        return sum(array.nbytes for array in self.structure)

    @property
    def total_bytes(self) -> int:
        """Bytes of the packed weight."""
        return self.structure_bytes + self.weight.nbytes

    @property
    def kernel_counts(self) -> tuple[int, ...]:
        """Kernels of each pattern, over all groups."""
        return tuple(int(n) for n in np.diff(self.stride.astype(np.int64), axis=1).sum(axis=0))

    def balanced_chunks(self, chunks: int) -> np.ndarray:
        """Cuts the groups into runs of nearly equal work.

        Returns:
            (chunks + 1,) int32, first group of each run.
        """
        weights = np.diff(self.weight_offset).reshape(self.windows, self.groups).sum(axis=0)
        work = np.concatenate([[0], np.cumsum(weights + 1.0)])
        cuts = np.searchsorted(work, np.linspace(0, work[-1], chunks + 1))
        cuts[0], cuts[-1] = 0, self.groups
        return cuts.astype(np.int32)


def pack_fkw(
    weight: np.ndarray,
    ids: np.ndarray,
    patterns: Sequence[Pattern],
    group: int = 1,
    window: int | None = None,
) -> FKW:
    """Reorders and packs a weight.

    Args:
        weight: (filters, channels per group, kh, kw) float32; zero outside the kernels'
            patterns.
        ids: (filters, channels) int, pattern of each kernel, -1 for kernels not stored,
            such as those between the groups of a grouped convolution.
        patterns: what ``ids`` counts; each must cover its kernels' weights.
        group: filters that share a list of kernels; more than 1 needs them to have the
            same kernels, as in a layer without connectivity pruning.
        window: channels of a window; all by default.
    """
    filters, channels = ids.shape
    order = _filter_order(ids, group)
    members = ids[order[::group]]  # one list for each group
    groups, windows = len(members), -(-channels // window) if window else 1
    of_group, channel = np.nonzero(members >= 0)
    slot = (channel // window if window else 0) * groups + of_group
    pattern = members[of_group, channel]
    rank = np.lexsort((channel, pattern, slot))
    slot, channel, pattern = slot[rank], channel[rank], pattern[rank]
    counts = np.zeros((windows * groups, len(patterns)), np.int64)
    np.add.at(counts, (slot, pattern), 1)
    entries = np.array([len(p) for p in patterns], np.int64)
    stride = np.concatenate([np.zeros((len(counts), 1), np.int64), counts.cumsum(axis=1)], axis=1)
    members_of = order.reshape(groups, group)[slot % groups]
    return FKW(
        filters=filters,
        channels=channels,
        patterns=tuple(patterns),
        group=group,
        windows=windows,
        reorder=_narrow(order, filters),
        offset=_starts(counts.sum(axis=1)),
        weight_offset=_starts((counts @ entries) * group),
        stride=_narrow(stride, int(stride.max(initial=0)) + 1),
        index=_narrow(channel, channels),
        weight=_gather(weight, members_of, channel, pattern, patterns, group),
    )


def unpack_fkw(fkw: FKW) -> np.ndarray:
    """Returns the weight (filters, channels, kh, kw) float32 that ``fkw`` stores."""
    kernel_shape = fkw.patterns[0].kernel_shape if fkw.patterns else (1, 1)
    weight = np.zeros((fkw.filters, fkw.channels, *kernel_shape), np.float32)
    for slot in range(fkw.windows * fkw.groups):
        at, kernel, g = int(fkw.weight_offset[slot]), int(fkw.offset[slot]), slot % fkw.groups
        filters = fkw.reorder[g * fkw.group : (g + 1) * fkw.group]
        for p, pattern in enumerate(fkw.patterns):
            for _ in range(int(fkw.stride[slot, p + 1]) - int(fkw.stride[slot, p])):
                for y, x in pattern.taps:
                    weight[filters, fkw.index[kernel], y, x] = fkw.weight[at : at + fkw.group]
                    at += fkw.group
                kernel += 1
    return weight


def _filter_order(ids: np.ndarray, group: int) -> np.ndarray:
    """Sorts filters by kept kernels, most first; groups keep the order they have."""
    filters = len(ids)
    if group > 1:
        padded = -(-filters // group) * group
        return np.minimum(np.arange(padded), filters - 1)
    return np.argsort(-(ids >= 0).sum(axis=1), kind="stable")


def _gather(
    weight: np.ndarray,
    filters: np.ndarray,
    channel: np.ndarray,
    pattern: np.ndarray,
    patterns: Sequence[Pattern],
    group: int,
) -> np.ndarray:
    """Collects each kernel's weights, tap by tap and filter by filter.

    Args:
        filters: (kernels, group) int, the filters that each kernel belongs to.
        channel, pattern: (kernels,) int, of each kernel.
    """
    sizes = np.array([len(p) for p in patterns], np.int64) * group
    starts = _starts(sizes[pattern]) if len(pattern) else np.zeros(1, np.int32)
    packed = np.zeros(int(starts[-1]), np.float32)
    for p, taps in enumerate(patterns):
        kernels = np.flatnonzero(pattern == p)
        y, x = np.array(taps.taps).T
        values = weight[
            filters[kernels][:, None, :],
            channel[kernels][:, None, None] % weight.shape[1],
            y[None, :, None],
            x[None, :, None],
        ]
        slots = starts[kernels][:, None] + np.arange(sizes[p])
        packed[slots] = values.reshape(slots.shape)
    return packed


def _starts(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def _narrow(values: np.ndarray, limit: int) -> np.ndarray:
    """Stores ``values`` < ``limit`` in 16 bits where they fit."""
    return values.astype(np.uint16 if limit <= 1 << 16 else np.int32)
