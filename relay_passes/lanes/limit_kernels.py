"""The sparse kernel of a layer without some of what makes it fast, for comparison."""

from __future__ import annotations

from dataclasses import replace

from relay_passes.lanes.analyze_convolutions import ConvLayer
from relay_passes.lanes.kernel_candidates import Candidate, sparse_candidates
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Taps
from te_schedules.cpu.conv2d_space import choose_schedule, fixed_schedule
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.sparse.fkw import Order

__all__ = ["limited_kernel"]


def limited_kernel(
    layer: ConvLayer, geometry: Conv2dGeometry, cpu: CpuModel, use: Optimizations
) -> tuple[Candidate, Conv2dSchedule, float]:
    """Returns how ``use`` stores and computes a layer, and its cycles by the cost model."""
    candidate = next(sparse_candidates(layer))
    if not use.patterns:
        candidate = replace(candidate, order=Order.CSR)
    elif not use.reorder:
        candidate = replace(candidate, order=Order.CHANNEL)
    choose = choose_schedule if use.tune else fixed_schedule
    schedule, cost = choose(geometry, candidate.lists, candidate.group, cpu)
    if candidate.order is not Order.FKR or not use.share_loads:
        schedule = replace(schedule, taps=Taps.TABLE)
    return candidate, schedule, cost
