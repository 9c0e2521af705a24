"""One convolution by transforms, as the kernels' tests need it."""

from __future__ import annotations

from dataclasses import dataclass

from tvm.tirx import PrimFunc

from te_schedules.cpu.conv2d_winograd import WinogradConv2d, conv2d_winograd
from te_schedules.cpu.winograd_kernels import pack_winograd
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tests.te_schedules.cpu.lane_kernels import ConvCase

__all__ = ["WinogradCase"]


@dataclass(frozen=True, kw_only=True)
class WinogradCase(ConvCase):
    """A convolution by transforms; of ``schedule`` nothing is used."""

    transform: WinogradSchedule

    def kernel(self) -> WinogradConv2d:
        return WinogradConv2d(
            geometry=self.geometry(),
            kernels=pack_winograd(self.weight, self.transform),
            schedule=self.transform,
            steps=self.steps,
        )

    def func(self) -> PrimFunc:
        return conv2d_winograd(self.kernel())
