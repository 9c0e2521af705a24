"""From sums to the bytes of the output: the epilogue of kernels for bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tvm import tirx
from tvm.tirx import Broadcast, Cast, const
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.interleave import shuffled
from te_schedules.cpu.int8.layer import Requantization
from te_schedules.cpu.vector_code import Expr

__all__ = ["narrowed", "requantised"]

MAGIC = 1.5 * 2**23  # adding this float32, whose unit is 1, rounds halves to even
MAGIC_BITS = int(np.float32(MAGIC).view(np.int32))


def requantised(
    store: Requantization, sums: Sequence[Expr], scale: Expr, lanes: int, other: Expr | None = None
) -> list[Expr]:
    """Returns vectors of int32 with the bytes of the output.

    Args:
        sums: vectors of ``lanes`` int32.
        scale: a vector of float32.
        other: vectors of int32 with the residual's bytes, as many as ``sums``.
    """
    others = [None] * len(sums) if other is None else other
    return [_requantised(store, each, scale, lanes, add) for each, add in zip(sums, others)]


def _requantised(
    store: Requantization, sums: Expr, scale: Expr, lanes: int, other: Expr | None
) -> Expr:
    def every(value: float) -> Expr:
        return Broadcast(const(value, "float32"), lanes)

    value = Cast(f"float32x{lanes}", sums) * scale
    if store.residual is not None:
        value = tirx.min(tirx.max(value, every(store.residual.low)), every(store.residual.high))
        shifted = Cast(f"float32x{lanes}", other) - every(store.residual.zero)
        value = value + shifted * every(store.residual.scale)
    value = tirx.max(value, every(store.low - store.zero))
    value = tirx.min(value, every(store.high - store.zero)) + every(MAGIC)
    bits = Broadcast(const(MAGIC_BITS - store.zero, "int32"), lanes)
    return T.reinterpret(f"int32x{lanes}", value) - bits


def narrowed(vectors: Sequence[Expr], order: Sequence[int]) -> Expr:
    """Returns the low bytes of vectors of int32: byte i is that of lane ``order[i]`` of all."""
    wide = shuffled(vectors, order) if len(vectors) > 1 else vectors[0]
    return Cast(f"uint8x{len(order)}", wide)
