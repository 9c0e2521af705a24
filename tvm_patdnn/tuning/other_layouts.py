"""The convolutions of a network in other splits than the rules give them.

Left out is what the cost model likes much less. It knows little of splits: of ResNet-18's layers
some are 15 % faster in one that costs more by the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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

_WORSE = 1.5  # times the cycles of the network's split


def other_layouts(plan: LanePlan, cpu: CpuModel) -> Mapping[TuningKey, Sequence[TuningTask]]:
    """Returns the tasks of convolutions in other splits, by the key of those in their own."""
    return {
        key: list(_tasks(key, alike, cpu)) for key, alike in distinct_convolutions(plan).items()
    }


def _tasks(
    key: TuningKey, alike: Sequence[PlannedConvolution], cpu: CpuModel
) -> Iterator[TuningTask]:
    most = _WORSE * alike[0].choice.cycles
    for each in _elsewhere(alike[0], cpu):
        if _differs(each.key, key) and each.choice.cycles < most:
            yield replace(conv2d_task([each], cpu), layers=[own.layer.name for own in alike])


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
