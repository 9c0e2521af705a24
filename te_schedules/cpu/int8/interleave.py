"""Puts the bytes of four taps of a pixel beside each other, 16 bytes at a time.

The shuffles are those that processors have: of two vectors, in each part of 16 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from te_schedules.cpu.vector_code import Expr, shuffled

__all__ = ["PART", "interleave_halves", "interleave_taps", "pixel_of_lane"]

PART = 16  # bytes


def interleave_taps(taps: Sequence[Expr], size: int) -> list[Expr]:
    """Returns four vectors with the four bytes of a pixel beside each other.

    Args:
        taps: four vectors of ``size`` bytes, each of one tap.
    """
    return _in_two_stages(taps, size, words=4, word=2)


def interleave_halves(taps: Sequence[Expr], size: int) -> list[Expr]:
    """The same with taps 0 and 2 of four pixels first, then taps 1 and 3 of these."""
    return _in_two_stages([taps[tap] for tap in (0, 2, 1, 3)], size, words=1, word=8)


def pixel_of_lane(vector: int, lane: int) -> int:
    """Returns which pixel a group of four bytes of the results is for."""
    return PART * (lane // 4) + 4 * vector + lane % 4


def _in_two_stages(taps: Sequence[Expr], size: int, words: int, word: int) -> list[Expr]:
    """Interleaves bytes of pairs of taps; then, of these, units of ``word`` bytes."""
    halves = [
        [_pairwise(pair, size, half, units=8, unit=1) for half in (0, 1)]
        for pair in (taps[:2], taps[2:])
    ]
    return [
        _pairwise([pair[half] for pair in halves], size, part, units=words, unit=word)
        for half in (0, 1)
        for part in (0, 1)
    ]


def _pairwise(pair: Sequence[Expr], size: int, half: int, units: int, unit: int) -> Expr:
    """Interleaves one half of each part: ``units`` of ``unit`` bytes from either vector."""
    order = [
        side * size + part + half * PART // 2 + i * unit + b
        for part in range(0, size, PART)
        for i in range(units)
        for side in (0, 1)
        for b in range(unit)
    ]
    return shuffled(pair, order)
