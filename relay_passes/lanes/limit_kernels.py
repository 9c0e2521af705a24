"""The sparse kernel of a layer without some of what makes it fast, for comparison."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from relay_passes.lanes.kernel_candidates import Candidate, sparse_candidates
from relay_passes.recognition.analyze_convolutions import ConvLayer
from te_schedules.cpu.conv2d_configuration import AnySchedule
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.conv2d_space import choose_schedule, fixed_schedule
from te_schedules.cpu.generic_sparse_products import TableProducts
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.sparse.packed_kernels import PackedKernels
from tvm_patdnn.sparse.unordered_kernels import pack_single_taps, pack_unordered

__all__ = ["limited_kernel"]


def limited_kernel(
    layer: ConvLayer, geometry: Conv2dGeometry, cpu: CpuModel, use: Optimizations
) -> tuple[Candidate, Conv2dSchedule, float]:
    """Returns how ``use`` stores and computes a layer, and its cycles by the cost model."""
    candidate = next(sparse_candidates(layer))
    if not (use.patterns and use.reorder):
        given = {each.name: getattr(candidate, each.name) for each in fields(candidate)}
        candidate = _Unordered(**given, single_taps=not use.patterns)
    if not (use.patterns and use.reorder and use.share_loads):
        candidate = replace(candidate, products=TableProducts())
    choose = choose_schedule if use.tune else fixed_schedule
    schedule, cost = choose(geometry, candidate.lists, candidate.group, cpu)
    return candidate, replace(schedule, copy_inputs=False), cost


@dataclass(frozen=True, kw_only=True, eq=False)
class _Unordered(Candidate):
    """Kernels in the order of the model.

    Attributes:
        single_taps: each weight is stored by itself.
    """

    single_taps: bool

    def pack(self, weight: np.ndarray, schedule: AnySchedule) -> PackedKernels:
        assert isinstance(schedule, Conv2dSchedule), "it takes no other"
        pack = pack_single_taps if self.single_taps else pack_unordered
        return pack(weight, self.ids, self.patterns, schedule.band)
