"""Kernels at the edges of what is quantised: from and to the plain order of other operators."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tvm.tirx import Buffer, PrimFunc

from te_schedules.cpu.int8.byte_code import ByteCode, StoredRange, Term
from te_schedules.cpu.int8.plane_loop import over_planes, pixels_of, plain_shape
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import Expr, Param, prim_func

__all__ = ["dequantize_planes", "flatten_planes", "plain_bytes", "quantize_planes", "stored_bytes"]

Shape = Sequence[int]
Value = Callable[[ByteCode, Expr], Expr]


def quantize_planes(shape: Shape, scale: float, stored: StoredRange) -> PrimFunc:
    """Generates (plain float32, planes): ``data / scale``, rounded."""

    def value(code: ByteCode, data: Expr) -> Expr:
        return code.bytes(data / code.float(scale), stored)

    return _converted(shape, _plain(shape, "float32"), _stored(shape), value)


def dequantize_planes(shape: Shape, term: Term) -> PrimFunc:
    """Generates (planes, plain float32)."""

    def value(code: ByteCode, data: Expr) -> Expr:
        return code.numbers(data, term)

    return _converted(shape, _stored(shape), _plain(shape, "float32"), value)


def plain_bytes(shape: Shape, dtype: str) -> PrimFunc:
    """Generates (planes, plain) uint8, or the int8 that are 128 less."""

    def value(code: ByteCode, data: Expr) -> Expr:
        return code.flip(data, "int8") if dtype == "int8" else data

    return _converted(shape, _stored(shape), _plain(shape, dtype), value)


def stored_bytes(shape: Shape, dtype: str) -> PrimFunc:
    """Generates (plain, planes), the reverse of ``plain_bytes``."""

    def value(code: ByteCode, data: Expr) -> Expr:
        return code.flip(data, "uint8") if dtype == "int8" else data

    return _converted(shape, _plain(shape, dtype), _stored(shape), value)


def flatten_planes(shape: Shape) -> PrimFunc:
    """Generates (planes, one plane of all their pixels)."""
    flat, pixels = (shape[0], math.prod(shape[1:])), pixels_of(shape)

    def body(data: Buffer, output: Buffer) -> None:
        def emit(code: ByteCode, n: Expr, plane: Expr, pixel: Expr) -> None:
            code.store(output, code.load(data, n, plane, pixel), n, 0, plane * pixels + pixel)

        over_planes(shape, emit)

    params: list[Param] = [("data", *_stored(shape)), ("output", *_stored(flat))]
    return prim_func(params, body)


def _converted(
    shape: Shape,
    source: tuple[tuple[int, ...], str],
    target: tuple[tuple[int, ...], str],
    value: Value,
) -> PrimFunc:
    """Generates the kernel (data, output) that stores ``value`` of each pixel."""

    def body(data: Buffer, output: Buffer) -> None:
        def emit(code: ByteCode, n: Expr, plane: Expr, pixel: Expr) -> None:
            found = value(code, code.load(data, n, plane, pixel))
            code.store(output, found, n, plane, pixel)

        over_planes(shape, emit)

    return prim_func([("data", *source), ("output", *target)], body)


def _stored(shape: Shape) -> tuple[tuple[int, ...], str]:
    return stored_shape(shape), "uint8"


def _plain(shape: Shape, dtype: str) -> tuple[tuple[int, ...], str]:
    return plain_shape(shape), dtype
