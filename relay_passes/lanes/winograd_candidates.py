"""Winograd's transforms among the ways to compute a layer as if nothing had been pruned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from relay_passes.lanes.kernel_candidates import Candidate, Kind, StoredKernels
from relay_passes.recognition.analyze_convolutions import ConvLayer
from te_schedules.cpu.conv2d_configuration import AnySchedule, Conv2dConfiguration
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_winograd import WinogradConv2d
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.cpu.winograd_cost import winograd_cycles
from te_schedules.cpu.winograd_features import winograd_features
from te_schedules.cpu.winograd_kernels import WinogradKernels, pack_winograd
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from te_schedules.cpu.winograd_space import (
    choose_winograd,
    fits_winograd,
    winograd_schedules,
)
from te_schedules.epilogue import Step
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["AnyCandidate", "WinogradCandidate", "winograd_candidates"]


@dataclass(frozen=True, kw_only=True)
class WinogradCandidate:
    """A layer that is computed by transforms; see ``Candidate``.

    Attributes:
        stride: of its window, (y, x).
    """

    stride: tuple[int, int] = (1, 1)
    kind: Kind = field(default="dense", init=False)

    def takes(self, schedule: AnySchedule) -> bool:
        """See ``Candidate``."""
        return isinstance(schedule, WinogradSchedule)

    def fits(self, schedule: AnySchedule, geometry: Conv2dGeometry) -> bool:
        """See ``Candidate``."""
        assert isinstance(schedule, WinogradSchedule), "it takes no other"
        return fits_winograd(schedule, geometry)

    def scheduled(
        self, geometry: Conv2dGeometry, cpu: CpuModel, *, planes: bool = False
    ) -> tuple[AnySchedule, float] | None:
        """See ``Candidate``."""
        return None if planes else choose_winograd(geometry, cpu)

    def cycles(
        self,
        geometry: Conv2dGeometry,
        schedule: AnySchedule,
        cpu: CpuModel,
        *,
        beside_copies: bool = False,
    ) -> float:
        """See ``Candidate``; it has one scale."""
        assert isinstance(schedule, WinogradSchedule), "it takes no other"
        return winograd_cycles(geometry, schedule, cpu)

    def space(self, geometry: Conv2dGeometry, cpu: CpuModel) -> Iterator[AnySchedule]:
        """See ``Candidate``."""
        yield from winograd_schedules(geometry, cpu)

    def features(
        self, point: Conv2dConfiguration, geometry: Conv2dGeometry, cpu: CpuModel
    ) -> Mapping[str, float]:
        """See ``Candidate``."""
        return winograd_features(point, geometry, cpu)

    def pack(self, weight: np.ndarray, schedule: AnySchedule) -> WinogradKernels:
        """See ``Candidate``."""
        assert isinstance(schedule, WinogradSchedule), "it takes no other"
        return pack_winograd(weight, schedule, self.stride)

    def kernel(
        self,
        stored: StoredKernels,
        geometry: Conv2dGeometry,
        schedule: AnySchedule,
        steps: Sequence[Step[OperandSpec]],
    ) -> WinogradConv2d:
        """See ``Candidate``."""
        assert isinstance(schedule, WinogradSchedule)
        assert isinstance(stored, WinogradKernels)
        return WinogradConv2d(geometry=geometry, kernels=stored, schedule=schedule, steps=steps)


AnyCandidate: TypeAlias = Candidate | WinogradCandidate


def winograd_candidates(
    layer: ConvLayer, *, transforms: bool = True
) -> Iterator[WinogradCandidate]:
    """Yields the way to compute a layer by transforms, if all its filters read all channels.

    Args:
        transforms: else only what needs none, and is only packed.
    """
    if layer.groups == 1 and (transforms or layer.kernel_shape == (1, 1)):
        yield WinogradCandidate(stride=layer.stride)
