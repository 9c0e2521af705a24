"""Ways to put int8 weights of a group of filters together in fours.

taps      any four weights
patterns  up to four taps of a kernel, whose inputs are near each other
cells     one tap of four neighbouring channels
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tvm_patdnn.sparse.quads import FOUR, Quads, counted_offset, group_starts

__all__ = ["PatternQuads", "pack_cells", "pack_patterns", "pack_taps"]


def pack_taps(weight: np.ndarray, group: int, groups: int = 1, *, sparse: bool = True) -> Quads:
    """Packs any four weights of a group of filters together: channel by channel, tap by tap.

    Args:
        weight: (filters, channels of a convolution's group, kh, kw) int8.
        group: filters that share a list; divides those of a group of the convolution, unless
            there is one.
        groups: of the convolution.
        sparse: False keeps zeros, too.

    Returns:
        Entries whose index is the four positions ``channel * kh * kw + tap``.
    """
    filters, positions = len(weight), int(np.prod(weight.shape[1:]))
    starts = group_starts(filters, group)
    members = _members(weight.reshape(filters, positions), group)
    kept = members.any(axis=1) if sparse else np.ones((len(starts), positions), bool)
    owner, position = np.nonzero(kept)
    counts = np.bincount(owner, minlength=len(starts))
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    offset = counted_offset(-(-counts // FOUR))
    entry, place = offset[owner] + rank // FOUR, rank % FOUR
    index = np.zeros((int(offset[-1]), FOUR), np.int64)
    packed = np.zeros((int(offset[-1]), group, FOUR), np.int8)
    absolute = position + starts[owner] // (filters // groups) * positions
    index[entry[place == 0]] = absolute[place == 0][:, None]  # where there are fewer, weights are 0
    index[entry, place] = absolute
    packed[entry, :, place] = members[owner, :, position]
    return Quads(group=group, offset=offset, index=index, weight=packed)


def pack_cells(weight: np.ndarray, group: int, *, sparse: bool = True) -> Quads:
    """Packs one tap of four neighbouring channels together, cell by cell.

    Args:
        weight: (filters, channels, kh, kw) int8, of a convolution without groups.
        group, sparse: as of ``pack_taps``.

    Returns:
        Entries whose index is the cell and the tap.
    """
    filters, channels = weight.shape[:2]
    padded = np.pad(weight, ((0, 0), (0, -channels % FOUR), (0, 0), (0, 0)))
    cells = padded.reshape(filters, -1, FOUR, int(np.prod(weight.shape[2:])))
    members = _members(cells, group)  # (groups, group, cells, 4, taps)
    kept = members.any(axis=(1, 3)) if sparse else np.ones(members[:, 0, :, 0].shape, bool)
    owner, cell, tap = np.nonzero(kept)
    counts = np.bincount(owner, minlength=len(members))
    offset = counted_offset(counts)
    if not len(owner):
        owner = cell = tap = np.zeros(1, np.int64)
    packed = members[owner, :, cell, :, tap]
    index = np.stack([cell, tap], axis=1)
    return Quads(group=group, offset=offset, index=index, weight=np.ascontiguousarray(packed))


@dataclass(frozen=True, kw_only=True, eq=False)
class PatternQuads:
    """Entries whose index is the channel and the pattern.

    Attributes:
        patterns: of each up to four taps, numbered row by row; in the order of the weights.
    """

    quads: Quads
    patterns: tuple[tuple[int, ...], ...]


def pack_patterns(weight: np.ndarray, group: int, *, sparse: bool = True) -> PatternQuads:
    """Packs up to four taps of a kernel together: channel by channel.

    Kernels of more taps are several entries. A pattern of fewer than four taps, as quantisation
    leaves them, is taken as a larger one that there is, too.

    Args:
        weight, group, sparse: as of ``pack_cells``.
    """
    filters, channels = weight.shape[:2]
    members = _members(weight.reshape(filters, channels, -1), group)  # (groups, group, c, taps)
    kept = members.any(axis=1) if sparse else np.ones(members[:, 0].shape, bool)
    keys = kept @ (1 << np.arange(kept.shape[2]))
    owner, channel = np.nonzero(keys)
    if not len(owner):
        owner = channel = np.zeros(1, np.int64)
    distinct, kind = np.unique(keys[owner, channel], return_inverse=True)
    parts = [_parts(int(key)) for key in distinct]
    patterns = _covering({part for each in parts for part in each})
    times = np.array([len(each) for each in parts])[kind]
    rank = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    owner, channel, kind = (np.repeat(each, times) for each in (owner, channel, kind))
    known = sorted({part for each in parts for part in each})
    table = np.zeros((len(parts), max(map(len, parts))), np.int64)
    for row, each in zip(table, parts, strict=True):
        row[: len(each)] = [known.index(part) for part in each]
    part_of = table[kind, rank]
    cover = np.array([_cover(part, patterns) for part in known])
    pattern = cover[part_of]
    packed = np.zeros((len(owner), group, FOUR), np.int8)
    for number, part in enumerate(known):
        own = np.flatnonzero(part_of == number)
        for place, tap in enumerate(patterns[cover[number]]):
            if tap in part:
                packed[own, :, place] = members[owner[own], :, channel[own], tap]
    offset = counted_offset(np.bincount(owner, minlength=len(members)))
    index = np.stack([channel, pattern], axis=1)
    quads = Quads(group=group, offset=offset, index=index, weight=packed)
    return PatternQuads(quads=quads, patterns=patterns)


Part = tuple[int, ...]


def _parts(key: int) -> list[Part]:
    """Returns the taps whose bits are set in ``key``, up to four at a time."""
    taps = [tap for tap in range(key.bit_length()) if key >> tap & 1] or [0]
    return [tuple(taps[i : i + FOUR]) for i in range(0, len(taps), FOUR)]


def _covering(parts: set[Part]) -> tuple[Part, ...]:
    """Returns the parts without those that are in others."""
    kept: list[Part] = []
    for part in sorted(parts, key=lambda part: (-len(part), part)):
        if not any(set(part) <= set(other) for other in kept):
            kept.append(part)
    return tuple(kept)


def _cover(part: Part, patterns: Sequence[Part]) -> int:
    return next(i for i, pattern in enumerate(patterns) if set(part) <= set(pattern))


def _members(rows: np.ndarray, group: int) -> np.ndarray:
    """Returns (groups, group, ...): the rows of each group of filters."""
    starts = group_starts(len(rows), group)
    return np.asarray(rows[starts[:, None] + np.arange(group)])
