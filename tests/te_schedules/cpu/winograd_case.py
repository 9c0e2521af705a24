"""One convolution by transforms, as the kernels' tests need it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from tvm.tirx import Buffer, PrimFunc

from te_schedules.cpu.conv2d_winograd import WinogradConv2d, conv2d_winograd
from te_schedules.cpu.vector_code import prim_func
from te_schedules.cpu.winograd_binding import WinogradBinding
from te_schedules.cpu.winograd_kernels import pack_winograd
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tests.te_schedules.cpu.lane_kernels import ConvCase, random_array, run_kernel

__all__ = ["WinogradCase", "bound", "run_stage", "small_case"]


@dataclass(frozen=True, kw_only=True)
class WinogradCase(ConvCase):
    """A convolution by transforms; of ``schedule`` nothing is used."""

    transform: WinogradSchedule

    def kernel(self) -> WinogradConv2d:
        return WinogradConv2d(
            geometry=self.geometry(),
            kernels=pack_winograd(self.weight, self.transform, self.stride),
            schedule=self.transform,
            steps=self.steps,
        )

    def func(self) -> PrimFunc:
        return conv2d_winograd(self.kernel())


def small_case(**schedule: int) -> WinogradCase:
    """All tiles of a plane in one block, that overlap and have lanes without a pixel."""
    point = {"rows": 4, "vectors": 2, "group": 2, "together": 2, "units": 3, **schedule}
    return WinogradCase(
        weight=random_array(5, 3, 3, 3),
        size=(9, 11),
        lanes=4,
        transform=WinogradSchedule(**point),
    )


def run_stage(
    case: WinogradCase,
    emit: Callable[[WinogradBinding, Buffer, Buffer], None],
    data: np.ndarray,
    out_shape: Sequence[int],
) -> np.ndarray:
    """Runs a part of a kernel; what it does not write is NaN.

    Args:
        emit: emits its code, given the convolution, what it reads and what it writes.
    """
    kernel = case.kernel()
    shape = tuple(out_shape)
    params = [("data", data.shape, "float32"), *kernel.params, ("output", shape, "float32")]

    def body(source: Buffer, *rest: Buffer) -> None:
        emit(kernel.bind(source, rest[:-1], rest[-1]), source, rest[-1])

    return run_kernel(prim_func(params, body), (data, *kernel.constants.values()), shape)


def bound(case: WinogradCase) -> WinogradBinding:
    """The convolution with buffers of no code, to ask where things lie."""
    found: list[WinogradBinding] = []
    kernel, geometry = case.kernel(), case.geometry()
    shapes = geometry.in_layout.shape(1, case.channels), geometry.out_layout.shape(1, 1)
    params = [("data", shapes[0], "float32"), *kernel.params, ("output", shapes[1], "float32")]
    prim_func(params, lambda data, *rest: found.append(kernel.bind(data, rest[:-1], rest[-1])))
    return found[0]
