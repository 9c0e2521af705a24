"""The function of a convolution's kernel, however it computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tvm.tirx import Buffer, PrimFunc

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.vector_code import Param, prim_func

__all__ = ["conv2d_function"]


class Kernel(Protocol):
    """What its parameters follow from."""

    @property
    def geometry(self) -> Conv2dGeometry:
        """Of the convolution."""

    @property
    def params(self) -> list[Param]:
        """The parameters between input and output."""


def conv2d_function(
    kernel: Kernel, emit: Callable[[Buffer, Sequence[Buffer], Buffer], None]
) -> PrimFunc:
    """Returns the function (input, *params, output).

    Args:
        emit: emits its code, given the input, the buffers of ``params`` and the output.
    """
    geometry = kernel.geometry
    in_shape = geometry.in_layout.shape(geometry.batch, geometry.in_channels)
    out_shape = geometry.out_layout.shape(geometry.batch, geometry.out_channels)
    params = [("data", in_shape, "float32"), *kernel.params, ("output", out_shape, "float32")]

    def body(data: Buffer, *buffers: Buffer) -> None:
        emit(data, buffers[:-1], buffers[-1])

    return prim_func(params, body)
