"""Sums and concatenations of tensors that are quantised each in its own way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import add

from tvm.tirx import Buffer, PrimFunc

from te_schedules.cpu.int8.byte_code import ByteCode, StoredRange, Term
from te_schedules.cpu.int8.plane_loop import over_planes
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import Expr, prim_func

__all__ = ["join_planes", "sum_planes"]

Shape = Sequence[int]


def sum_planes(shape: Shape, terms: Sequence[Term], stored: StoredRange) -> PrimFunc:
    """Generates (*tensors, output): their sum, rounded once; of one tensor, its requantisation."""

    def body(*buffers: Buffer) -> None:
        def emit(code: ByteCode, n: Expr, plane: Expr, pixel: Expr) -> None:
            values = [
                code.numbers(code.load(data, n, plane, pixel), term)
                for data, term in zip(buffers, terms, strict=False)
            ]
            code.store(buffers[-1], code.bytes(reduce(add, values), stored), n, plane, pixel)

        over_planes(shape, emit)

    names = [*(f"data{i}" for i in range(len(terms))), "output"]
    return prim_func([(name, stored_shape(shape), "uint8") for name in names], body)


def join_planes(shapes: Sequence[Shape], terms: Sequence[Term], stored: StoredRange) -> PrimFunc:
    """Generates (*tensors, output): their channels one after the other.

    Args:
        shapes: (n, c, ...) of each tensor; they differ in c.
    """
    channels = sum(shape[1] for shape in shapes)
    joined = stored_shape((shapes[0][0], channels, *shapes[0][2:]))

    def body(*buffers: Buffer) -> None:
        first = 0
        for data, shape, term in zip(buffers, shapes, terms, strict=False):
            _append(data, buffers[-1], shape, term, stored, first)
            first += shape[1]

    params = [(f"data{i}", stored_shape(shape), "uint8") for i, shape in enumerate(shapes)]
    return prim_func([*params, ("output", joined, "uint8")], body)


def _append(
    data: Buffer, output: Buffer, shape: Shape, term: Term, stored: StoredRange, first: int
) -> None:
    """Stores a tensor from the channel ``first`` on."""
    one_plane = math.prod(shape[2:]) == 1

    def emit(code: ByteCode, n: Expr, plane: Expr, pixel: Expr) -> None:
        value = code.load(data, n, plane, pixel)
        if not term.is_stored_as(stored):
            value = code.bytes(code.numbers(value, term), stored)
        place = (0, first + pixel) if one_plane else (first + plane, pixel)
        code.store(output, value, n, *place)

    over_planes(shape, emit)
