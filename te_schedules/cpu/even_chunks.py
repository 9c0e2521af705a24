"""Into how many ranges filters are cut, so that all threads have equal work."""

from __future__ import annotations

__all__ = ["IDLE_SHARE", "even_chunks"]

IDLE_SHARE = 0.05  # threads may wait this long for the last one before filters are cut


def even_chunks(tasks: int, most: int, cores: int) -> int:
    """Returns the fewest ranges, up to ``most``, with which ``tasks`` keep all cores busy."""
    even = (
        chunks
        for chunks in range(1, most + 1)
        if -(-tasks * chunks // cores) * cores <= tasks * chunks * (1 + IDLE_SHARE)
    )
    return next(even, most)
