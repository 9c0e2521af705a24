"""Packs kernels into flat arrays, whatever their order; what storage formats share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["KernelList", "equal_shares", "filters_alike", "group_members", "packed_arrays"]

NOT_FULL = 0.25  # of the places in groups may be left over: the cost model says if that pays


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelList:
    """Kernels in the order in which they are stored; all arrays are (kernels,) int.

    Attributes:
        slot: which list each is in.
        run: which part of its list.
        channel: that it reads.
        pattern: of its taps.
    """

    slot: np.ndarray
    run: np.ndarray
    channel: np.ndarray
    pattern: np.ndarray

    @classmethod
    def of(
        cls, slot: np.ndarray, run: np.ndarray, channel: np.ndarray, pattern: np.ndarray
    ) -> KernelList:
        """Sorts kernels by slot, run, channel and pattern, whose sizes' product fits 63 bits."""
        key = np.zeros(len(slot), np.int64)  # one for all: several times as fast to sort
        for part in (slot, run, channel, pattern):
            key = key * (int(part.max(initial=0)) + 1) + part
        rank = np.argsort(key, kind="stable")
        return cls(slot=slot[rank], run=run[rank], channel=channel[rank], pattern=pattern[rank])


def packed_arrays(
    weight: np.ndarray,
    kernels: KernelList,
    patterns: Sequence[Pattern],
    members: np.ndarray,
    *,
    channels: int,
    bands: int,
    entries: np.ndarray,
) -> dict[str, np.ndarray]:
    """Returns the arrays of ``PackedKernels``, by name.

    Args:
        weight: (filters, channels per group, kh, kw) float32.
        patterns: what ``kernels.pattern`` counts.
        members: (groups, group) int, the filters of each group, in the order of storage.
        channels: of the layer.
        bands: slots are bands times groups.
        entries: (runs,) int, stored weights of a kernel of each run, of one filter.
    """
    groups, group = members.shape
    counts = np.zeros((bands * groups, len(entries)), np.int64)
    np.add.at(counts, (kernels.slot, kernels.run), 1)
    stride = np.concatenate([np.zeros((len(counts), 1), np.int64), counts.cumsum(axis=1)], axis=1)
    filters, sizes = members[kernels.slot % groups], entries[kernels.run] * group
    return {
        "reorder": _narrow(members.reshape(-1), len(weight)),
        "offset": _starts(counts.sum(axis=1)),
        "weight_offset": _starts((counts @ entries) * group),
        "stride": _narrow(stride, int(stride.max(initial=0)) + 1),
        "index": _narrow(kernels.channel, channels),
        "weight": _gather(weight, kernels, filters, patterns, sizes),
    }


def filters_alike(ids: np.ndarray, most: int = 8) -> int:
    """Returns how many filters at a time have the same kernels: a power of 2, up to ``most``.

    They may be any filters of the layer. Where some are left over, few lists are not full.

    Args:
        ids: (filters, channels) int, the pattern of each kernel, -1 for none.
    """
    powers = [1 << i for i in range(most.bit_length())]
    return max(alike_groups(ids, powers), default=1)


def alike_groups(ids: np.ndarray, groups: Sequence[int]) -> list[int]:
    """Returns which of several numbers of filters may share a list; see ``filters_alike``."""
    alike = np.array([*Counter(row.tobytes() for row in ids).values()], np.int64)
    filters = len(ids)

    def pays(group: int) -> bool:
        most = max(-(-filters // group), filters / group * (1 + NOT_FULL))
        return int(np.sum(-(-alike // group))) <= most

    return [group for group in groups if group == 1 or (group <= filters and pays(group))]


def group_members(ids: np.ndarray, group: int) -> np.ndarray:
    """Returns (groups, group) int: filters with the same kernels, by the first of each group.

    A group repeats its last filter where there are no more of its kind.
    """
    if group == 1:
        return np.arange(len(ids)).reshape(-1, 1)
    alike: dict[bytes, list[int]] = {}
    for number, row in enumerate(ids):
        alike.setdefault(row.tobytes(), []).append(number)
    members = [
        (same[at : at + group] + same[-1:] * group)[:group]
        for same in alike.values()
        for at in range(0, len(same), group)
    ]
    return np.array(sorted(members), np.int64).reshape(-1, group)


def equal_shares(work: np.ndarray, chunks: int) -> np.ndarray:
    """Returns (chunks + 1,) int32: where to cut ``work`` into ranges of nearly equal sums."""
    done = np.concatenate([[0], np.cumsum(work + 1.0)])
    cuts = np.searchsorted(done, np.linspace(0, done[-1], chunks + 1))
    cuts[0], cuts[-1] = 0, len(work)
    return cuts.astype(np.int32)


def _gather(
    weight: np.ndarray,
    kernels: KernelList,
    filters: np.ndarray,
    patterns: Sequence[Pattern],
    sizes: np.ndarray,
) -> np.ndarray:
    """Collects each kernel's weights, tap by tap and filter by filter.

    Args:
        filters: (kernels, group) int, the filters that each kernel belongs to.
        sizes: (kernels,) int, of each kernel: where it has fewer weights, zeros follow.
    """
    starts = _starts(sizes)
    packed = np.zeros(int(starts[-1]), np.float32)
    for p, taps in enumerate(patterns):
        own = np.flatnonzero(kernels.pattern == p)
        y, x = np.array(taps.taps).T
        values = weight[
            filters[own][:, None, :],
            kernels.channel[own][:, None, None] % weight.shape[1],
            y[None, :, None],
            x[None, :, None],
        ]
        at = starts[own][:, None] + np.arange(len(taps) * filters.shape[1])
        packed[at] = values.reshape(at.shape)
    return packed


def _starts(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def _narrow(values: np.ndarray, limit: int) -> np.ndarray:
    """Stores ``values`` < ``limit`` in 16 bits where they fit."""
    return values.astype(np.uint16 if limit <= 1 << 16 else np.int32)
