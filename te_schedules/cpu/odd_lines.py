"""Sizes of what is stored many times over, such as planes, by the sets of a cache."""

from __future__ import annotations

__all__ = ["LINE_BYTES", "odd_lines"]

LINE_BYTES = 64  # of the caches


def odd_lines(count: int, size: int) -> int:
    """Returns ``count`` numbers of ``size`` bytes, rounded up to an odd number of cache lines.

    Numbers at the same place of each then lie in different sets of a cache, where an even number
    of lines, such as a power of two, would have them share a few.
    """
    return (-(-count * size // LINE_BYTES) | 1) * LINE_BYTES // size
