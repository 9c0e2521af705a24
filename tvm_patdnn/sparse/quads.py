"""Storage of int8 weights in fours: what one dot product of bytes multiplies.

Neighbouring filters form groups that share a list of entries. An entry is four weights of
each filter of its group, and numbers that say where their inputs are:

    offset   first entry of each group
    index    where the inputs of each entry are
    weight   the weights of each entry, filter by filter

A weight that quantisation made 0 is like one that pruning removed: what a group of filters
reads is the union of what its filters keep.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

__all__ = [
    "FOUR",
    "UNLIMITED",
    "Quads",
    "counted_offset",
    "group_starts",
    "overflows",
    "without_overflow",
]

FOUR = 4
UNLIMITED = 2 * 128  # no two weights of one sign add up to more


@dataclass(frozen=True, kw_only=True, eq=False)
class Quads:
    """Entries of four weights, group by group.

    Attributes:
        group: filters that share a list.
        offset: (groups + 1,) int32.
        index: (entries, numbers) int.
        weight: (entries, group, 4) int8.
        coupled: (groups,) int32, the first entry of each group that is not coupled with the
            one beside it, see ``couple_entries``; None: none are.
        filters: (filters,) int, the number of each filter in the layer, where groups are not of
            neighbours; None: they are.
    """

    group: int
    offset: np.ndarray
    index: np.ndarray
    weight: np.ndarray
    coupled: np.ndarray | None = None
    filters: np.ndarray | None = None

    @property
    def entries(self) -> int:
        """How many there are."""
        return len(self.weight)

    @property
    def words(self) -> np.ndarray:
        """The four weights of each entry and filter as one number: (entries * group,) int32."""
        return np.ascontiguousarray(self.weight).view(np.int32).reshape(-1)


def group_starts(filters: int, group: int) -> np.ndarray:
    """Returns the first filter of each group; the last group may share some with the one before.

    Args:
        group: at most ``filters``.
    """
    return np.minimum(np.arange(0, filters, group), filters - group)


def overflows(weight: np.ndarray, limit: int) -> np.ndarray:
    """Returns (entries,) bool: whether two neighbouring weights of one sign pass the limit.

    Args:
        weight: (entries, group, 4) int8.
    """
    wide = weight.astype(np.int16)
    sums = np.abs(wide[..., 0::2] + wide[..., 1::2])  # of two signs they are below any limit
    return np.asarray((sums > limit).any(axis=(1, 2)))


def without_overflow(quads: Quads, limit: int) -> Quads:
    """Stores each entry twice, with half the weights, of which a pair could overflow.

    The second halves come last in the list of a group.

    Args:
        limit: what two neighbouring weights of one sign may add up to; at least 128.
    """
    if limit >= UNLIMITED:
        return quads
    twice = overflows(quads.weight, limit)
    if not twice.any():
        return quads
    groups = len(quads.offset) - 1
    group_of = np.repeat(np.arange(groups), np.diff(quads.offset))
    half = quads.weight[twice] // 2
    first = quads.weight.copy()
    first[twice] = half
    owner = np.concatenate([group_of, group_of[twice]])
    order = np.argsort(owner, kind="stable")
    return replace(
        quads,
        offset=_starts(np.bincount(owner, minlength=groups)),
        index=np.concatenate([quads.index, quads.index[twice]])[order],
        weight=np.concatenate([first, quads.weight[twice] - half])[order],
    )


def counted_offset(counts: np.ndarray) -> np.ndarray:
    """Returns (groups + 1,) int32: the first entry of each group, with one at least in all."""
    if not counts.any():
        return _starts(np.arange(len(counts)) == 0)  # no array is empty
    return _starts(counts)


def _starts(counts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
