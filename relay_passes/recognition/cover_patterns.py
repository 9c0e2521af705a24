"""Reduces the pattern set of a layer: rare patterns are stored within larger ones.

Each pattern has its own loop in a kernel, whose end costs a mispredicted branch for every
filter. So a pattern that few kernels have is stored as a larger one, with explicit zeros:
a trained weight that happens to be exactly 0 adds no pattern that way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tvm_patdnn.sparse.patterns import KernelPatterns, Pattern

__all__ = ["cover_patterns", "zeros_stored"]

MAX_PATTERNS = 16
NOTED = 1.05  # times the weights
RARE = 0.02  # of the kernels: less pay for explicit zeros what they save in loops


def cover_patterns(
    ids: np.ndarray, patterns: Sequence[Pattern], counts: Sequence[int], limit: int = MAX_PATTERNS
) -> tuple[np.ndarray, tuple[Pattern, ...]]:
    """Reduces a pattern set to what is worth a loop, and to ``limit`` at most.

    Args:
        ids: (out_c, in_c) int, pattern of each kernel, -1 for none.
        patterns: the most frequent first.
        counts: how many kernels have each.
        limit: at least 1; where more are left, one of all taps takes in the rest.

    Returns:
        The new ids, int32, and patterns; each kernel's new pattern covers its old one.
    """
    if not patterns:
        return ids, ()
    frequent = np.array(counts) >= RARE * sum(counts)
    covered = _covers(patterns, [p for p, often in zip(patterns, frequent, strict=True) if often])
    kept = np.flatnonzero(frequent | ~covered.any(axis=1)).tolist()
    if len(kept) == len(patterns) <= limit:
        return ids, tuple(patterns)
    chosen = [patterns[p] for p in kept]
    if len(kept) > limit:
        chosen = _most_work(chosen, [counts[p] for p in kept], limit)
    new_id = np.full(len(patterns) + 1, -1, np.int32)  # the last is where an id of -1 points
    used, new_id[:-1] = np.unique(_smallest_covers(patterns, chosen), return_inverse=True)
    return new_id[ids], tuple(chosen[p] for p in used)


def zeros_stored(found: KernelPatterns) -> str:
    """Says for people what a layer's rare patterns cost; empty where that is next to nothing."""
    ids, patterns = cover_patterns(found.ids, found.patterns, found.counts)
    sizes = np.array([*map(len, patterns), 0])  # the last is where an id of -1 points
    more = int(sizes[ids].sum()) / max(1, found.kept_weights)
    if more < NOTED:
        return ""
    return f"stored in fp32 as {len(patterns)} patterns with zeros, {more:.1f}x the weights"


def _most_work(patterns: Sequence[Pattern], counts: Sequence[int], limit: int) -> list[Pattern]:
    """Returns the patterns with the most weights, and at the end the one of all taps."""
    height, width = patterns[0].kernel_shape
    full = Pattern(kernel_shape=(height, width), taps=tuple(np.ndindex(height, width)))
    by_work = sorted(range(len(patterns)), key=lambda p: -counts[p] * len(patterns[p]))
    return [*[patterns[p] for p in by_work if patterns[p] != full][: limit - 1], full]


def _smallest_covers(patterns: Sequence[Pattern], chosen: Sequence[Pattern]) -> np.ndarray:
    """Returns (patterns,) int: for each the smallest of ``chosen`` that covers it."""
    sizes = np.array([len(pattern) for pattern in chosen])
    covers = _covers(patterns, chosen)
    return np.where(covers, sizes, sizes.max() + 1).argmin(axis=1)


def _covers(patterns: Sequence[Pattern], chosen: Sequence[Pattern]) -> np.ndarray:
    """Returns (patterns, chosen) bool: whether all taps of the one are taps of the other."""
    taps = _masks(patterns)[:, None]
    return np.asarray((~taps | _masks(chosen)[None]).all(axis=2))


def _masks(patterns: Sequence[Pattern]) -> np.ndarray:
    """Returns (patterns, taps of a kernel) bool."""
    masks = [pattern.mask().reshape(-1) for pattern in patterns]
    return np.array(masks).reshape(len(patterns), -1) if masks else np.zeros((0, 1), bool)
