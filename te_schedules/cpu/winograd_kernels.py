"""The weight of a convolution as Winograd's products take it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from te_schedules.cpu.winograd_phases import phase_weight
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from te_schedules.cpu.winograd_transform import WinogradTransform

__all__ = ["WinogradKernels", "pack_winograd"]


@dataclass(frozen=True, kw_only=True, eq=False)
class WinogradKernels:
    """A transformed weight.

    Attributes:
        filters: of the layer.
        weight: (products of a tile, groups, channels, group) float32; the last group begins
            so early that it is full.
    """

    filters: int
    weight: np.ndarray

    @property
    def channels(self) -> int:
        """Input channels, of all phases of the window."""
        return int(self.weight.shape[2])

    @property
    def group(self) -> int:
        """Filters multiplied together."""
        return int(self.weight.shape[3])

    @property
    def groups(self) -> int:
        """Number of groups of filters."""
        return int(self.weight.shape[1])

    @property
    def structure_bytes(self) -> int:
        """Bytes of everything but the weights."""
        return 0

    @property
    def total_bytes(self) -> int:
        """Bytes of the transformed weight."""
        return self.weight.nbytes


def pack_winograd(
    weight: np.ndarray, schedule: WinogradSchedule, stride: tuple[int, int] = (1, 1)
) -> WinogradKernels:
    """Transforms a weight, in float64.

    Args:
        weight: (filters, channels, kh, kw) float32.
        stride: of the window, (y, x).
    """
    weight = phase_weight(weight, stride)
    (filters, channels, height, width), group = weight.shape, schedule.group
    y, x = WinogradTransform(schedule.rows, height), WinogradTransform(schedule.vectors, width)
    values = np.einsum(
        "py,ocyx,qx->pqoc", y.of_taps, weight.astype(np.float64), x.of_taps, optimize=True
    )
    first = np.minimum(np.arange(0, filters, group), filters - group)
    members = first[:, None] + np.arange(group)
    grouped = values.reshape(-1, filters, channels)[:, members]  # (products, groups, group, c)
    stored = np.ascontiguousarray(grouped.transpose(0, 1, 3, 2).astype(np.float32))
    return WinogradKernels(filters=filters, weight=stored)
