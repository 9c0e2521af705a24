"""Products of bytes on AArch64: the dot products of +dotprod and +i8mm, and plain NEON."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tvm.tirx import Broadcast
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.interleave import (
    interleave_halves,
    interleave_taps,
    pixel_of_lane,
)
from te_schedules.cpu.vector_code import Expr, shuffled
from tvm_patdnn.sparse.quads import UNLIMITED

__all__ = ["DOTPROD", "I8MM", "NEON"]

SIZE, LANES, REGISTERS = 16, 4, 32


def _call(dtype: str, intrinsic: str, *arguments: Expr) -> Expr:
    return T.call_llvm_pure_intrin(dtype, f"llvm.aarch64.neon.{intrinsic}", *arguments)


def _four(sums: Expr, values: Expr, weights: Expr, intrinsic: str) -> Expr:
    return _call("int32x4", intrinsic, sums, T.reinterpret("int8x16", values), weights)


def _pairs(sums: Expr, values: Expr, weights: Expr) -> Expr:
    """Adds taps 0 and 1, and 2 and 3, in 16 bits, where they fit, and their sums in 32."""
    values = T.reinterpret("int8x16", values)
    first, second = (
        _call("int16x8", "smull", *(shuffled([each], half) for each in (values, weights)))
        for half in (range(8), range(8, 16))
    )
    return sums + _call("int32x4", "saddlp", first + second)


def _permuted(values: Expr, index: Expr) -> Expr:
    values, index = (T.reinterpret("int8x16", each) for each in (values, index))
    return T.reinterpret("uint8x16", _call("int8x16", "tbl1", values, index))


def _spread(four: Expr) -> Expr:
    return T.reinterpret("int8x16", Broadcast(four, LANES))


def _spread_pairs(four: Expr) -> Expr:
    return shuffled([_spread(four)], [i for first in (0, 1) for i in 4 * (first, first + 2)])


def _set(
    name: str,
    dot: Callable[[Expr, Expr, Expr], Expr],
    interleave: Callable[..., list[Expr]] = interleave_taps,
    order: Callable[[int, int], int] = lambda pixel, tap: 4 * pixel + tap,
    spread: Callable[[Expr], Expr] = _spread,
    dot_operations: int = 1,
    in_flight: int = 0,
    signed: bool = True,
    pair_limit: int = UNLIMITED,
) -> Instructions:
    return Instructions(
        name=name,
        lanes=LANES,
        registers=REGISTERS,
        dot=dot,
        dot_operations=dot_operations,
        in_flight=in_flight,
        order=order,
        interleave=partial(interleave, size=SIZE),
        pixel=pixel_of_lane,
        spread=spread,
        signed=signed,
        pair_limit=pair_limit,
        reach=16,
        permute=_permuted,
    )


DOTPROD = _set("dotprod", partial(_four, intrinsic="sdot"), in_flight=1)
I8MM = _set("i8mm", partial(_four, intrinsic="usdot"), signed=False)
NEON = _set(
    "neon",
    _pairs,
    interleave_halves,
    order=lambda pixel, tap: tap % 2 * 8 + 2 * pixel + tap // 2,
    spread=_spread_pairs,
    dot_operations=3,
    in_flight=6,  # by the code that LLVM makes: with 5 some tiles spill their sums
    pair_limit=255,
)
