"""Products of bytes in operations that every processor has."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tvm.tirx import Broadcast, Cast
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.vector_code import Expr, shuffled

__all__ = ["plain"]

TAPS = range(4)


def plain(lanes: int, registers: int) -> Instructions:
    """Returns primitives of vectors of ``lanes`` int32: the bytes of a tap lie together."""
    return Instructions(
        name="plain",
        lanes=lanes,
        registers=registers,
        dot=_dot(lanes),
        dot_operations=16,
        order=lambda pixel, tap: tap * lanes + pixel,
        interleave=_interleave(lanes),
        pixel=lambda vector, lane: vector * lanes + lane,
        spread=lambda four: shuffled(
            [T.reinterpret(f"int8x{4 * lanes}", Broadcast(four, lanes))],
            [4 * lane + tap for tap in TAPS for lane in range(lanes)],
        ),
    )


def _dot(lanes: int) -> Callable[[Expr, Expr, Expr], Expr]:
    def dot(sums: Expr, values: Expr, weights: Expr) -> Expr:
        for tap in TAPS:
            own = range(tap * lanes, (tap + 1) * lanes)
            value, weight = (
                Cast(f"int32x{lanes}", shuffled([each], own)) for each in (values, weights)
            )
            sums = sums + value * weight
        return sums

    return dot


def _interleave(lanes: int) -> Callable[[Sequence[Expr]], list[Expr]]:
    def interleave(taps: Sequence[Expr]) -> list[Expr]:
        return [
            shuffled(taps, [tap * 4 * lanes + j * lanes + i for tap in TAPS for i in range(lanes)])
            for j in range(4)
        ]

    return interleave
