"""The convolutions of a network in the splits that suit them second best.

Which split a layer is measured in is otherwise that of its network by the rules. The other one is
that which the cost model likes best of the rest, unless it likes it much less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from relay_passes.lanes.choose_kernels import choose_kernel
from relay_passes.lanes.plan import LanePlan, PlannedConvolution
from relay_passes.lanes.tuning_keys import conv2d_key
from te_schedules.cpu.conv2d_geometry import holding, input_layout
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import Split, splits
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.records.tuning_key import TuningKey, without_halos
from tvm_patdnn.tuning.conv2d_tasks import conv2d_task, distinct_convolutions
from tvm_patdnn.tuning.problem import TuningTask

__all__ = ["other_layouts"]

_WORSE = 1.5  # times the cycles of the split of the network: the model knows little of splits


def other_layouts(plan: LanePlan, cpu: CpuModel) -> Mapping[TuningKey, TuningTask]:
    """Returns the tasks of convolutions in another split, by the key of those in their own."""
    found = {}
    for key, alike in distinct_convolutions(plan).items():
        others = [each for each in _elsewhere(alike[0], cpu) if _differs(each.key, key)]
        second = min(others, key=lambda each: each.choice.cycles, default=None)
        if second is not None and second.choice.cycles < _WORSE * alike[0].choice.cycles:
            task = conv2d_task([second], cpu)
            found[key] = replace(task, layers=[each.layer.name for each in alike])
    return found


def _elsewhere(planned: PlannedConvolution, cpu: CpuModel) -> Iterator[PlannedConvolution]:
    """Yields a convolution in each split of its result, its own included."""
    geometry, window = planned.geometry, planned.geometry.window
    height, width = geometry.in_layout.height, geometry.in_layout.width
    out = geometry.out_layout
    for split in splits(out.height, out.width, out.lanes):
        yield _in_split(planned, holding(split, window, height, width), cpu)


def _in_split(planned: PlannedConvolution, split: Split, cpu: CpuModel) -> PlannedConvolution:
    """Returns a convolution that writes its result in a split; halos are as they were."""
    old = planned.geometry
    needed = input_layout(split, old.window, old.in_layout.height, old.in_layout.width)
    output = LaneLayout(split, old.out_layout.halo)
    source = needed.with_halo(old.in_layout.halo)
    geometry = replace(old, in_layout=source, out_layout=output)
    operands = (LaneLayout(split, each.halo) for each in planned.sources[1:])
    return replace(
        planned,
        sources=(source, *operands),
        output=output,
        geometry=geometry,
        choice=choose_kernel(planned.layer, geometry, cpu),
        key=conv2d_key(planned.layer, geometry, cpu),
    )


def _differs(one: TuningKey, other: TuningKey) -> bool:
    return without_halos(one.layout) != without_halos(other.layout)
