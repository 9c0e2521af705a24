"""From sums to the bytes of the output: the epilogue of kernels for bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from tvm import tirx
from tvm.tirx import Broadcast, Cast, const
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.interleave import PART
from te_schedules.cpu.int8.layer import Requantization
from te_schedules.cpu.vector_code import Expr, shuffled

__all__ = ["PACKED", "Pack", "bytes_of", "steps_of"]

Pack = Callable[[Sequence[Expr], int], Expr]

PACKED = 4  # vectors of sums that are packed to a vector of bytes
MAGIC = 1.5 * 2**23  # adding this float32, whose unit is 1, rounds halves to even
MAGIC_BITS = int(np.float32(MAGIC).view(np.int32))


def steps_of(
    store: Requantization, sums: Sequence[Expr], scale: Expr, lanes: int, other: Expr | None = None
) -> list[Expr]:
    """Returns vectors of float32: the steps of the output, neither rounded nor clipped.

    Args:
        sums: vectors of ``lanes`` int32.
        scale: a vector of float32.
        other: vectors of int32 with the residual's bytes, as many as ``sums``.
    """
    others = [None] * len(sums) if other is None else other
    return [_steps(store, each, scale, lanes, add) for each, add in zip(sums, others)]


def _steps(store: Requantization, sums: Expr, scale: Expr, lanes: int, other: Expr | None) -> Expr:
    def every(value: float) -> Expr:
        return Broadcast(const(value, "float32"), lanes)

    value, residual = Cast(f"float32x{lanes}", sums) * scale, store.residual
    if residual is None:
        return value
    value = tirx.min(tirx.max(value, every(residual.low)), every(residual.high))
    if residual.own is not None:
        value = T.nearbyint(value) * every(residual.own)  # halves to even
    return value + (Cast(f"float32x{lanes}", other) - every(residual.zero)) * every(residual.scale)


def bytes_of(
    store: Requantization, steps: Sequence[Expr], order: Sequence[int], pack: Pack | None = None
) -> Expr:
    """Returns the bytes of vectors of steps: byte i is that of lane ``order[i]`` of all.

    Args:
        pack: see ``Instructions``.
    """
    lanes = len(order) // len(steps)
    if pack is None or len(steps) > PACKED:
        return _narrowed([_rounded(store, each, lanes) for each in steps], order)
    packed = pack([*steps, *[steps[-1]] * (PACKED - len(steps))], store.zero)
    size = PACKED * lanes
    if store.low > 0:
        packed = tirx.max(packed, Broadcast(const(store.low, "uint8"), size))
    if store.high < 255:
        packed = tirx.min(packed, Broadcast(const(store.high, "uint8"), size))
    places = [_packed_place(*divmod(lane, lanes)) for lane in order]
    return packed if places == [*range(size)] else shuffled([packed], places)


def _packed_place(vector: int, lane: int) -> int:
    """Returns where ``pack`` has the byte of a lane: in each part, vector by vector."""
    lanes = PART // PACKED
    return PART * (lane // lanes) + lanes * vector + lane % lanes


def _rounded(store: Requantization, steps: Expr, lanes: int) -> Expr:
    """Returns int32 whose low bytes are those of the output."""

    def every(value: float) -> Expr:
        return Broadcast(const(value, "float32"), lanes)

    value = tirx.max(steps, every(store.low - store.zero))
    value = tirx.min(value, every(store.high - store.zero)) + every(MAGIC)
    bits = Broadcast(const(MAGIC_BITS - store.zero, "int32"), lanes)
    return T.reinterpret(f"int32x{lanes}", value) - bits


def _narrowed(vectors: Sequence[Expr], order: Sequence[int]) -> Expr:
    alone = len(vectors) == 1 and [*order] == [*range(len(order))]
    wide = vectors[0] if alone else shuffled(vectors, order)
    return Cast(f"uint8x{len(order)}", wide)
