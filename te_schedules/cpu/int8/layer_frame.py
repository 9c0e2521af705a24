"""The frame of a kernel that computes an int8 layer: its parameters, and who emits its body."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.plane_loop import plain_shape
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import Param

__all__ = ["flat", "layer_frame"]

Emit: TypeAlias = Callable[[Buffer, Mapping[str, Buffer], Buffer | None, Buffer], None]


def layer_frame(
    layer: Int8Layer, constants: Mapping[str, np.ndarray], emit: Emit, *, rows: bool = False
) -> tuple[list[Param], Callable[..., None]]:
    """Returns parameters (data, *constants, residual if there is one, output), and a body.

    They are what ``prim_func`` takes.

    Args:
        constants: of the kernel, by name.
        emit: is given the planes of the data, the constants by name, the planes of the residual or
            None, and those of the output, or its numbers as ``plain_shape`` has them.
        rows: whether it is given planes as rows of bytes.
    """
    stored = stored_shape(layer.out_shape)
    residual = [("residual", stored, "uint8")] if layer.store.residual else []
    data = ("data", stored_shape(layer.in_shape), "uint8")
    own = [(name, each.shape, str(each.dtype)) for name, each in constants.items()]
    output = ("output", stored, "uint8")
    if layer.store.offset is not None:
        output = ("output", plain_shape(layer.out_shape), "float32")
    params: list[Param] = [data, *own, *residual, output]

    def body(data: Buffer, *buffers: Buffer) -> None:
        arrays = dict(zip(constants, buffers, strict=False))
        view = flat if rows else _same
        other = view(buffers[-2]) if layer.store.residual else None
        emit(view(data), arrays, other, view(buffers[-1]))

    return params, body


def flat(buffer: Buffer) -> Buffer:
    """Returns a tensor as a row of its numbers."""
    size = math.prod(map(int, buffer.shape))
    return T.decl_buffer((size,), str(buffer.dtype), data=buffer.data)


def _same(buffer: Buffer) -> Buffer:
    return buffer
