"""The loop of kernels that make each pixel from the same pixel of their arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tvm import tirx
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.byte_code import ByteCode
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import Expr

__all__ = ["LANES", "over_planes", "pixels_of", "plain_shape"]

LANES = 16  # bytes at a time: what a small vector register holds

Shape = Sequence[int]


def over_planes(shape: Shape, emit: Callable[[ByteCode, Expr, Expr, Expr], None]) -> None:
    """Emits ``emit(code, n, plane, pixel)`` for all pixels of a stored tensor (n, c, ...).

    The last pixels of a plane may be computed twice; what is behind them is not touched.
    """
    batch, planes, _ = stored_shape(shape)
    pixels = pixels_of(shape)
    code = ByteCode(min(LANES, pixels))
    vectors = -(-pixels // code.lanes)
    with T.parallel(batch * planes) as plane, T.serial(vectors) as i:
        pixel = tirx.min(i * code.lanes, pixels - code.lanes)
        emit(code, plane // planes, plane % planes, pixel)


def pixels_of(shape: Shape) -> int:
    """Returns how many bytes of each stored plane are values."""
    batch, planes, _ = stored_shape(shape)
    return math.prod(shape) // (batch * planes)


def plain_shape(shape: Shape) -> tuple[int, int, int]:
    """Returns (n, planes, pixels): the tensor without what is behind the pixels."""
    return (*stored_shape(shape)[:2], pixels_of(shape))
