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
of them: that is how layers without connectivity pruning are stored, and those whose
neighbouring filters were pruned as one.

What the order is worth can be measured: a weight can also be stored without it, each kernel
with the number of its pattern, or as a generic sparse matrix, each weight by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["FKW", "Order", "group_members", "pack_fkw", "unpack_fkw"]


class Order(Enum):
    """In which order kernels are stored."""

    FKR = "fkr"  # filters by number of kernels, kernels by pattern
    CHANNEL = "channel"  # filters and channels as they come
    CSR = "csr"  # the same, and each weight is a kernel of its own


@dataclass(frozen=True, kw_only=True, eq=False)
class FKW:
    """A packed weight of ``filters`` x ``channels`` kernels.

    Attributes:
        patterns: the patterns, in the order of a group's kernels.
        group: filters that share one list of kernels; the last group repeats its last
            filter where ``filters`` is not a multiple.
        reorder: (groups * group,) uint16 or int32, output channel of each stored filter.
        windows: runs of channels into which every group's kernels are divided; the arrays
            below have a slot for each window and, within it, each group.
        offset: (slots + 1,) int32, first kernel of each slot.
        weight_offset: (slots + 1,) int32, first weight of each slot.
        stride: (slots, patterns + 1) uint16 or int32, first kernel of each pattern,
            counted from the slot's first; (slots, 2), all kernels of the slot, where they
            are not in the order of their patterns.
        index: (kernels,) uint16 or int32, input channel of each kernel.
        pattern: (kernels,) uint16, pattern of each kernel, or None where they are in the
            order of their patterns.
        weight: (weights,) float32, for each kernel its taps and for each tap its filters;
            with ``pattern``, all kernels have as many taps as the largest, the last ones 0.
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
    pattern: np.ndarray | None = None
    weight: np.ndarray

    @property
    def entries(self) -> tuple[int, ...]:
        """Stored weights of a kernel of each pattern, of one filter."""
        sizes = [len(pattern) for pattern in self.patterns]
        return tuple(sizes if self.pattern is None else len(sizes) * [max(sizes, default=0)])

    @property
    def groups(self) -> int:
        """Number of groups of filters."""
        return len(self.reorder) // self.group

    @property
    def runs(self) -> int:
        """Into how many runs the kernels of a group are divided: one for each pattern, or one."""
        return self.stride.shape[1] - 1

    @property
    def structure(self) -> tuple[np.ndarray, ...]:
        """Everything but the weights, in the order of a kernel's arguments."""
        pattern = () if self.pattern is None else (self.pattern,)
        return (self.reorder, self.offset, self.weight_offset, self.stride, self.index, *pattern)

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
        if self.pattern is not None:
            return tuple(np.bincount(self.pattern, minlength=len(self.patterns)).tolist())
        return tuple(int(n) for n in np.diff(self.stride.astype(np.int64), axis=1).sum(axis=0))

    def balanced_chunks(self, chunks: int) -> np.ndarray:
        """Cuts the groups into runs of nearly equal work.

        Returns:
            (chunks + 1,) int32, first group of each run.
        """
        weights = np.diff(self.weight_offset).reshape(self.windows, self.groups).sum(axis=0)
        return _equal_shares(weights, chunks)


def pack_fkw(
    weight: np.ndarray,
    ids: np.ndarray,
    patterns: Sequence[Pattern],
    group: int = 1,
    window: int | None = None,
    order: Order = Order.FKR,
    chunks: int = 1,
) -> FKW:
    """Reorders and packs a weight.

    Args:
        weight: (filters, channels per group, kh, kw) float32; zero outside the kernels'
            patterns.
        ids: (filters, channels) int, pattern of each kernel, -1 for kernels not stored,
            such as those between the groups of a grouped convolution.
        patterns: what ``ids`` counts; each must cover its kernels' weights.
        group: filters that share a list of kernels; more than 1 needs neighbours to have
            the same ``ids``, as in a layer without connectivity pruning.
        window: channels of a window; all by default.
        order: of the kernels.
        chunks: runs of neighbouring filters, of nearly equal work, that are each sorted for
            themselves.
    """
    filters, channels = ids.shape
    filter_order = _filter_order(ids, group, order, chunks)
    members = ids[filter_order[::group]]  # one list for each group
    groups, windows = len(members), -(-channels // window) if window else 1
    of_group, channel = np.nonzero(members >= 0)
    pattern = members[of_group, channel]
    if order is Order.CSR:
        (of_group, channel), pattern, patterns = _single_taps(of_group, channel, pattern, patterns)
    slot = (channel // window if window else 0) * groups + of_group
    sorted_by = pattern if order is Order.FKR else np.zeros_like(pattern)
    rank = np.lexsort((pattern, channel, sorted_by, slot))
    slot, channel, pattern, sorted_by = slot[rank], channel[rank], pattern[rank], sorted_by[rank]
    runs = len(patterns) if order is Order.FKR else min(1, len(patterns))
    counts = np.zeros((windows * groups, runs), np.int64)
    np.add.at(counts, (slot, sorted_by), 1)
    entries = np.array([len(p) for p in patterns], np.int64)
    if order is not Order.FKR:
        entries = entries.max(initial=0, keepdims=True)[:runs]
    stride = np.concatenate([np.zeros((len(counts), 1), np.int64), counts.cumsum(axis=1)], axis=1)
    members_of = filter_order.reshape(groups, group)[slot % groups]
    return FKW(
        filters=filters,
        channels=channels,
        patterns=tuple(patterns),
        group=group,
        windows=windows,
        reorder=_narrow(filter_order, filters),
        offset=_starts(counts.sum(axis=1)),
        weight_offset=_starts((counts @ entries) * group),
        stride=_narrow(stride, int(stride.max(initial=0)) + 1),
        index=_narrow(channel, channels),
        pattern=None if order is Order.FKR else pattern.astype(np.uint16),
        weight=_gather(weight, members_of, channel, pattern, patterns, entries[sorted_by] * group),
    )


def unpack_fkw(fkw: FKW) -> np.ndarray:
    """Returns the weight (filters, channels, kh, kw) float32 that ``fkw`` stores."""
    kernel_shape = fkw.patterns[0].kernel_shape if fkw.patterns else (1, 1)
    weight = np.zeros((fkw.filters, fkw.channels, *kernel_shape), np.float32)
    for slot in range(fkw.windows * fkw.groups):
        at, g = int(fkw.weight_offset[slot]), slot % fkw.groups
        filters = fkw.reorder[g * fkw.group : (g + 1) * fkw.group]
        for kernel in range(int(fkw.offset[slot]), int(fkw.offset[slot + 1])):
            p = _pattern_of(fkw, slot, kernel)
            for tap, (y, x) in enumerate(fkw.patterns[p].taps):
                start = at + tap * fkw.group
                weight[filters, fkw.index[kernel], y, x] = fkw.weight[start : start + fkw.group]
            at += fkw.entries[p] * fkw.group
    return weight


def _pattern_of(fkw: FKW, slot: int, kernel: int) -> int:
    if fkw.pattern is not None:
        return int(fkw.pattern[kernel])
    in_slot = kernel - int(fkw.offset[slot])
    return int(np.searchsorted(fkw.stride[slot], in_slot, side="right")) - 1


def _single_taps(
    of_group: np.ndarray, channel: np.ndarray, pattern: np.ndarray, patterns: Sequence[Pattern]
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, tuple[Pattern, ...]]:
    """Replaces each kernel by one for each of its taps."""
    if not patterns:
        return (of_group, channel), pattern, ()
    shape = patterns[0].kernel_shape
    masks = np.array([p.mask().reshape(-1) for p in patterns])
    kernel, tap = np.nonzero(masks[pattern])
    singles = tuple(Pattern(kernel_shape=shape, taps=(at,)) for at in np.ndindex(*shape))
    return (of_group[kernel], channel[kernel]), tap, singles


def group_members(filters: int, group: int) -> np.ndarray:
    """Returns (groups, group) int: neighbouring filters, the last repeated where they run out."""
    padded = -(-filters // group) * group
    return np.minimum(np.arange(padded), filters - 1).reshape(-1, group)


def _filter_order(ids: np.ndarray, group: int, order: Order, chunks: int) -> np.ndarray:
    """Sorts each chunk's groups of filters by kept kernels, most first."""
    members = group_members(len(ids), group)
    if order is Order.FKR:
        kept = (ids[members[:, 0]] >= 0).sum(axis=1)
        chunk = np.repeat(np.arange(chunks), np.diff(_equal_shares(kept, chunks)))
        members = members[np.lexsort((-kept, chunk))]
    return members.reshape(-1)


def _equal_shares(work: np.ndarray, chunks: int) -> np.ndarray:
    """Returns (chunks + 1,) int32: where to cut ``work`` into runs of nearly equal sums."""
    done = np.concatenate([[0], np.cumsum(work + 1.0)])
    cuts = np.searchsorted(done, np.linspace(0, done[-1], chunks + 1))
    cuts[0], cuts[-1] = 0, len(work)
    return cuts.astype(np.int32)


def _gather(
    weight: np.ndarray,
    filters: np.ndarray,
    channel: np.ndarray,
    pattern: np.ndarray,
    patterns: Sequence[Pattern],
    sizes: np.ndarray,
) -> np.ndarray:
    """Collects each kernel's weights, tap by tap and filter by filter.

    Args:
        filters: (kernels, group) int, the filters that each kernel belongs to.
        channel, pattern: (kernels,) int, of each kernel.
        sizes: (kernels,) int, of each kernel: where it has fewer weights, zeros follow.
    """
    starts = _starts(sizes)
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
        slots = starts[kernels][:, None] + np.arange(len(taps) * filters.shape[1])
        packed[slots] = values.reshape(slots.shape)
    return packed


def _starts(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def _narrow(values: np.ndarray, limit: int) -> np.ndarray:
    """Stores ``values`` < ``limit`` in 16 bits where they fit."""
    return values.astype(np.uint16 if limit <= 1 << 16 else np.int32)
