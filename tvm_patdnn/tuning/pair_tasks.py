"""The convolutions that share their kernels with depthwise ones, as tasks for tuning."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from relay_passes.lanes.kernel_candidates import Candidate
from relay_passes.lanes.plan import LanePlan, PlannedPair
from relay_passes.lanes.recorded_pairs import pair_key
from te_schedules.cost_feature import COST
from te_schedules.cpu.conv2d import Conv2d
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_depthwise import conv2d_depthwise
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Outer
from te_schedules.cpu.conv2d_space import schedules
from te_schedules.cpu.pair_configuration import PairConfiguration
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.records.families import Configuration
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.tuning.conv2d_tasks import ConvProblem, ConvSpace
from tvm_patdnn.tuning.problem import TrialKernel, TuningTask
from tvm_patdnn.tuning.space import Space

__all__ = ["PairProblem", "pair_tasks"]


@dataclass(frozen=True, kw_only=True, eq=False)
class PairProblem:
    """See ``Problem``; operands of the first one's epilogue are among the constants."""

    first: ConvProblem
    depthwise: ConvProblem

    @property
    def plainest(self) -> TrialKernel:
        """See ``Problem``."""
        plain = Conv2dSchedule(rows=1, vectors=1, outer=Outer.PLANE)
        return self.kernel(
            PairConfiguration(
                first=Conv2dConfiguration(sparse=False, schedule=plain),
                depthwise=Conv2dConfiguration(sparse=False, schedule=plain),
            )
        )

    @property
    def out_shape(self) -> tuple[int, ...]:
        """See ``Problem``."""
        return self.depthwise.out_shape

    @property
    def out_dtype(self) -> str:
        """See ``Problem``."""
        return self.depthwise.out_dtype

    @property
    def compared(self) -> int:
        """See ``Problem``."""
        return self.depthwise.compared

    def kernel(self, configuration: Configuration) -> TrialKernel:
        """See ``Problem``."""
        assert isinstance(configuration, PairConfiguration)
        first = self.first.layer_kernel(configuration.first)
        second = self.depthwise.layer_kernel(configuration.depthwise)
        assert isinstance(first, Conv2d), "transforms finish no plane before the next"
        assert isinstance(second, Conv2d), "transforms need all channels"
        _, operands = self.first.arguments()
        constants = [*first.constants.values(), *operands, *second.constants.values()]
        return TrialKernel(func=conv2d_depthwise(first, second), constants=constants)

    def arguments(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """See ``Problem``."""
        return self.first.arguments()[0], self.depthwise.arguments()[1]


def pair_tasks(plan: LanePlan, cpu: CpuModel) -> list[TuningTask]:
    """Returns the distinct pairs, in order."""
    found: dict[TuningKey, list[PlannedPair]] = {}
    for item in plan.items:
        if isinstance(item, PlannedPair):
            found.setdefault(pair_key(item), []).append(item)
    return [_task(key, alike, cpu) for key, alike in found.items()]


def _task(key: TuningKey, alike: Sequence[PlannedPair], cpu: CpuModel) -> TuningTask:
    first, second = ConvSpace.of(alike[0].first, cpu), ConvSpace.of(alike[0].depthwise, cpu)
    behind = [point for point in second.starts if point.schedule.group == 1][:1]
    behind += _tiles(second, behind[0].sparse)
    ahead = [point for point in first.points if point.schedule.whole_planes]
    starts = [
        PairConfiguration(first=point, depthwise=behind[0])
        for point in first.starts
        if point.schedule.whole_planes
    ]
    points = [
        PairConfiguration(first=one, depthwise=other)
        for one, other in itertools.product(ahead, behind)
    ]
    return TuningTask(
        key=key,
        layers=[pair.first.layer.name for pair in alike],
        space=Space(
            list(dict.fromkeys([*starts, *points])), starts, partial(_describe, first, second)
        ),
        problem=PairProblem(first=first.problem, depthwise=second.problem),
    )


def _tiles(second: ConvSpace, sparse: bool) -> list[Conv2dConfiguration]:
    """Returns the ways to compute the depthwise one: how its planes are shared out is not its."""
    geometry = second.problem.geometry
    return [
        Conv2dConfiguration(sparse=sparse, schedule=schedule)
        for candidate in second.problem.candidates[sparse]
        if isinstance(candidate, Candidate) and candidate.group == 1
        for schedule in schedules(geometry, candidate.lists.patterns, 1, second.cpu)
        if schedule.band is None
    ]


def _describe(first: ConvSpace, second: ConvSpace, point: Configuration) -> Mapping[str, float]:
    assert isinstance(point, PairConfiguration)
    own, behind = first.describe(point.first), second.describe(point.depthwise)
    both = np.logaddexp2(own[COST], behind[COST])
    named = {f"depthwise {name}": value for name, value in behind.items() if name != COST}
    return {**own, **named, COST: round(float(both), 4)}
