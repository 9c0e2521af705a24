"""Products of bytes on x86: AVX2, and the dot products of VNNI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from tvm.tirx import Broadcast
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.interleave import interleave_taps, pixel_of_lane
from te_schedules.cpu.int8.requantise import Pack
from te_schedules.cpu.vector_code import Expr
from tvm_patdnn.sparse.quads import UNLIMITED

__all__ = ["AVX2", "AVX512_VBMI", "AVX512_VNNI", "AVX_VNNI"]


def _call(dtype: str, intrinsic: str, *arguments: Expr) -> Expr:
    return T.call_llvm_pure_intrin(dtype, f"llvm.x86.{intrinsic}", *arguments)


def _vnni(sums: Expr, values: Expr, weights: Expr, lanes: int) -> Expr:
    values = T.reinterpret(f"int8x{4 * lanes}", values)
    name = f"avx512.vpdpbusd.{32 * lanes}"
    return _call(f"int32x{lanes}", name, sums, values, weights)


def _words(sums: Expr, values: Expr, weights: Expr) -> Expr:
    """Adds pairs of products in 16 bits, where they must fit, and pairs of these in 32."""
    return sums + _widened(_pairs(values, weights))


def _coupled_words(sums: Expr, one: Expr, weights: Expr, other: Expr, others: Expr) -> Expr:
    """The same of two vectors of bytes, whose pairs must fit together."""
    return sums + _widened(_pairs(one, weights) + _pairs(other, others))


def _pairs(values: Expr, weights: Expr) -> Expr:
    return _call("int16x16", "avx2.pmadd.ub.sw", T.reinterpret("int8x32", values), weights)


def _widened(pairs: Expr) -> Expr:
    return _call("int32x8", "avx2.pmadd.wd", pairs, Broadcast(T.int16(1), 16))


def _any_words(sums: Expr, values: Expr, weights: Expr) -> Expr:
    """Widens bytes to 16 bits: those with even numbers, and the others."""
    wide, signed = (T.reinterpret("int16x16", each) for each in (values, weights))
    eight, low = (Broadcast(T.int16(number), 16) for number in (8, 255))
    odd = (wide >> eight) & low
    for value, weight in ((wide & low, (signed << eight) >> eight), (odd, signed >> eight)):
        sums = sums + _call("int32x8", "avx2.pmadd.wd", value, weight)
    return sums


def _permuted(values: Expr, index: Expr, size: int, name: str) -> Expr:
    values, index = (T.reinterpret(f"int8x{size}", each) for each in (values, index))
    return T.reinterpret(f"uint8x{size}", _call(f"int8x{size}", name, values, index))


def _packed(steps: Sequence[Expr], zero: int) -> Expr:
    """Narrows four vectors of 8 float32 by instructions that saturate."""
    rounded = [_call("int32x8", "avx.cvt.ps2dq.256", each) for each in steps]
    return _narrowed(rounded, zero, 8, ("avx2.packssdw", "avx2.packuswb"))


def _widely_packed(steps: Sequence[Expr], zero: int) -> Expr:
    """The same of 16."""
    none, every, current = Broadcast(T.int32(0), 16), T.uint16(0xFFFF), T.int32(4)
    name = "avx512.mask.cvtps2dq.512"
    rounded = [_call("int32x16", name, each, none, every, current) for each in steps]
    return _narrowed(rounded, zero, 16, ("avx512.packssdw.512", "avx512.packuswb.512"))


def _narrowed(vectors: Sequence[Expr], zero: int, lanes: int, names: tuple[str, str]) -> Expr:
    """Narrows four vectors of int32, adding ``zero``, by what packs them to 16 bits and to 8."""
    words = [_call(f"int16x{2 * lanes}", names[0], *vectors[i : i + 2]) for i in (0, 2)]
    if zero:
        zeros = Broadcast(T.int16(zero), 2 * lanes)
        words = [
            T.call_llvm_pure_intrin(f"int16x{2 * lanes}", "llvm.sadd.sat", each, zeros)
            for each in words
        ]
    return T.reinterpret(f"uint8x{4 * lanes}", _call(f"int8x{4 * lanes}", names[1], *words))


def _set(
    name: str,
    lanes: int,
    registers: int,
    dot: Callable[[Expr, Expr, Expr], Expr],
    permute: str,
    dot_operations: int = 1,
    reach: int = 16,
    pair_limit: int = UNLIMITED,
    couple_dot: Callable[[Expr, Expr, Expr, Expr, Expr], Expr] | None = None,
    any_dot: Callable[[Expr, Expr, Expr], Expr] | None = None,
    pack: Pack | None = None,
) -> Instructions:
    size = 4 * lanes
    return Instructions(
        name=name,
        lanes=lanes,
        registers=registers,
        dot=dot,
        dot_operations=dot_operations,
        order=lambda pixel, tap: 4 * pixel + tap,
        interleave=partial(interleave_taps, size=size),
        pixel=pixel_of_lane,
        spread=lambda four: T.reinterpret(f"int8x{size}", Broadcast(four, lanes)),
        permute=partial(_permuted, size=size, name=permute),
        reach=reach,
        pair_limit=pair_limit,
        couple_dot=couple_dot,
        any_dot=any_dot,
        pack=pack,
    )


AVX2 = _set(
    "avx2",
    8,
    16,
    _words,
    "avx2.pshuf.b",
    dot_operations=3,
    pair_limit=128,
    couple_dot=_coupled_words,
    any_dot=_any_words,
    pack=_packed,
)
AVX_VNNI = _set("avx-vnni", 8, 16, partial(_vnni, lanes=8), "avx2.pshuf.b", pack=_packed)
AVX512_VNNI = _set(
    "avx512-vnni",
    16,
    32,
    partial(_vnni, lanes=16),
    "avx512.pshuf.b.512",
    pack=_widely_packed,
)
AVX512_VBMI = _set(
    "avx512-vbmi",
    16,
    32,
    partial(_vnni, lanes=16),
    "avx512.permvar.qi.512",
    reach=64,
    pack=_widely_packed,
)
