"""The ways to store a layer's weight, among which its kernel is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.recognition.cover_patterns import cover_patterns
from te_schedules.cpu.conv2d import Conv2d
from te_schedules.cpu.conv2d_binding import Products
from te_schedules.cpu.conv2d_configuration import AnySchedule, Conv2dConfiguration
from te_schedules.cpu.conv2d_cost import KernelLists, cycles
from te_schedules.cpu.conv2d_features import conv2d_features
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_products import PatternProducts
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.conv2d_space import choose_schedule, fits
from te_schedules.cpu.conv2d_tuning_space import tuning_schedules
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.cpu.winograd_kernels import WinogradKernels
from te_schedules.epilogue import Step
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.sparse.fkw import pack_fkw
from tvm_patdnn.sparse.packed_kernels import PackedKernels
from tvm_patdnn.sparse.packing import alike_groups, group_members
from tvm_patdnn.sparse.patterns import Pattern

__all__ = [
    "Candidate",
    "DenseCandidate",
    "Kind",
    "StoredKernels",
    "dense_candidates",
    "sparse_candidates",
]

DENSE_GROUPS = (1, 2, 3, 4, 6, 8)  # filters that may share a loaded input
SPARSE_GROUPS = (1, 2, 4, 8)  # the same, where some were pruned as one

Kind = Literal["pattern", "connectivity", "dense", "depthwise"]
StoredKernels: TypeAlias = PackedKernels | WinogradKernels


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A way to store and to compute a layer.

    Attributes:
        ids: (filters, channels) int32, pattern of each kernel, -1 for none; of a grouped
            convolution with the kernels at their absolute input channels.
        group: filters that share a list of kernels.
        products: the code that computes them.
    """

    kind: Kind
    ids: np.ndarray
    patterns: tuple[Pattern, ...]
    group: int
    products: Products = field(default_factory=PatternProducts)

    def takes(self, schedule: AnySchedule) -> bool:
        """Whether a schedule is one for what is stored like this."""
        return isinstance(schedule, Conv2dSchedule) and schedule.group == self.group

    def fits(self, schedule: AnySchedule, geometry: Conv2dGeometry) -> bool:
        """Whether a schedule made for another network suits these planes."""
        assert isinstance(schedule, Conv2dSchedule), "it takes no other"
        return fits(schedule, geometry)

    def scheduled(
        self, geometry: Conv2dGeometry, cpu: CpuModel, *, planes: bool = False
    ) -> tuple[AnySchedule, float] | None:
        """Returns the schedule that the cost model likes best, and its cycles; None without one.

        Args:
            planes: see ``choose_schedule``.
        """
        return choose_schedule(geometry, self.lists, self.group, cpu, planes=planes)

    def cycles(
        self,
        geometry: Conv2dGeometry,
        schedule: AnySchedule,
        cpu: CpuModel,
        *,
        beside_copies: bool = False,
    ) -> float:
        """Returns what the cost model gives a schedule.

        Args:
            beside_copies: see ``conv2d_cost.cycles``.
        """
        assert isinstance(schedule, Conv2dSchedule), "it takes no other"
        return cycles(geometry, self.lists, schedule, cpu, beside_copies=beside_copies)

    def space(self, geometry: Conv2dGeometry, cpu: CpuModel) -> Iterator[AnySchedule]:
        """Yields the schedules that tuning chooses from."""
        yield from tuning_schedules(geometry, self.lists, self.group, cpu)

    def features(
        self, point: Conv2dConfiguration, geometry: Conv2dGeometry, cpu: CpuModel
    ) -> Mapping[str, float]:
        """Returns what a learned cost model knows of a configuration."""
        return conv2d_features(point, geometry, self.lists, cpu)

    def kernel(
        self,
        stored: StoredKernels,
        geometry: Conv2dGeometry,
        schedule: AnySchedule,
        steps: Sequence[Step[OperandSpec]],
    ) -> Conv2d:
        """Returns the kernel of what ``pack`` stored."""
        assert isinstance(schedule, Conv2dSchedule)
        assert isinstance(stored, PackedKernels)
        return Conv2d(
            geometry=geometry,
            fkw=stored,
            schedule=schedule,
            steps=steps,
            products=self.products,
        )

    @cached_property
    def lists(self) -> KernelLists:
        """How many kernels there are of each pattern, for the cost model."""
        kept = self.ids[group_members(self.ids, self.group)[:, 0]]
        counts = np.bincount(kept[kept >= 0], minlength=len(self.patterns))
        return KernelLists(patterns=self.patterns, counts=tuple(counts.tolist()), groups=len(kept))

    def pack(self, weight: np.ndarray, schedule: AnySchedule) -> PackedKernels:
        """Stores ``weight``, (filters, channels of a group, kh, kw), as ``schedule`` needs it."""
        assert isinstance(schedule, Conv2dSchedule), "it takes no other"
        return pack_fkw(weight, self.ids, self.patterns, self.group, schedule.band, schedule.chunks)


@dataclass(frozen=True, kw_only=True, eq=False)
class DenseCandidate(Candidate):
    """A way to store a layer as if nothing had been pruned.

    Attributes:
        conv_groups: of the convolution.
    """

    conv_groups: int

    @cached_property
    def lists(self) -> KernelLists:
        """Counts kernels by their shape: each filter has all of its group of the convolution."""
        filters, channels = self.ids.shape
        groups = self.conv_groups * -(-(filters // self.conv_groups) // self.group)
        counts = (groups * (channels // self.conv_groups),)
        return KernelLists(patterns=self.patterns, counts=counts, groups=groups)


def dense_candidates(layer: ConvLayer) -> Iterator[Candidate]:
    """Yields the ways to store a layer as if nothing had been pruned."""
    height, width = layer.kernel_shape
    full = Pattern(kernel_shape=(height, width), taps=tuple(np.ndindex(height, width)))
    out_c, in_c = layer.weight.shape[:2]
    ids = _expand(np.zeros((out_c, in_c), np.int32), layer.groups)
    kind: Kind = "depthwise" if layer.groups > 1 and in_c == 1 else "dense"
    for group in DENSE_GROUPS:
        shared = layer.groups == 1 and group <= out_c
        if group == 1 or shared or out_c // layer.groups % group == 0:
            yield DenseCandidate(
                kind=kind, ids=ids, patterns=(full,), group=group, conv_groups=layer.groups
            )


def sparse_candidates(layer: ConvLayer) -> Iterator[Candidate]:
    """Yields the ways to store a layer by its patterns: by single filters first."""
    found = layer.found
    ids, patterns = _in_order(*cover_patterns(found.ids, found.patterns, found.counts))
    area = layer.kernel_shape[0] * layer.kernel_shape[1]
    kind: Kind = "pattern" if any(len(p) < area for p in patterns) else "connectivity"
    ids = _expand(ids, layer.groups)
    for group in alike_groups(ids, SPARSE_GROUPS):
        yield Candidate(kind=kind, ids=ids, patterns=patterns, group=group)


def _in_order(
    ids: np.ndarray, patterns: Sequence[Pattern]
) -> tuple[np.ndarray, tuple[Pattern, ...]]:
    """Sorts a pattern set, so that layers which use the same set share one kernel."""
    order = sorted(range(len(patterns)), key=lambda p: patterns[p])
    rank = np.full(len(patterns) + 1, -1, np.int32)  # the last is where an id of -1 points
    rank[order] = np.arange(len(order))
    return rank[ids], tuple(patterns[p] for p in order)


def _expand(ids: np.ndarray, groups: int) -> np.ndarray:
    """Places the kernels of a grouped convolution at their absolute input channels."""
    if groups == 1:
        return ids
    out_c, in_c = ids.shape
    expanded = np.full((out_c, in_c * groups), -1, np.int32)
    for group, rows in enumerate(np.split(np.arange(out_c), groups)):
        expanded[rows, group * in_c : (group + 1) * in_c] = ids[rows]
    return expanded
