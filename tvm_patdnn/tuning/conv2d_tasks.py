"""The convolutions of a network as tasks for tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from relay_passes.lanes.kernel_candidates import dense_candidates, sparse_candidates
from relay_passes.lanes.plan import LanePlan, PlannedConvolution
from relay_passes.lanes.winograd_candidates import AnyCandidate, winograd_candidates
from te_schedules.cpu.conv2d import Conv2d
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.conv2d_tuning_space import plainest
from te_schedules.cpu.conv2d_winograd import WinogradConv2d
from te_schedules.cpu.tile_store import OperandSpec, operand_params
from te_schedules.epilogue import Step
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.records.families import Configuration
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.tuning.problem import TrialKernel, TuningTask
from tvm_patdnn.tuning.space import Space

__all__ = ["ConvProblem", "ConvSpace", "conv2d_task", "conv2d_tasks", "distinct_convolutions"]

Candidates = Mapping[bool, Sequence[AnyCandidate]]  # by whether they are sparse


@dataclass(frozen=True, kw_only=True, eq=False)
class ConvProblem:
    """See ``Problem``.

    Attributes:
        weight: (filters, channels of a group, kh, kw) float32.
        steps: the epilogue.
    """

    weight: np.ndarray
    geometry: Conv2dGeometry
    steps: Sequence[Step[OperandSpec]]
    candidates: Candidates

    @property
    def plainest(self) -> TrialKernel:
        """See ``Problem``."""
        schedule = Conv2dSchedule(rows=1, vectors=1)
        return self.kernel(Conv2dConfiguration(sparse=False, schedule=schedule))

    @property
    def out_shape(self) -> tuple[int, ...]:
        """See ``Problem``."""
        return self.geometry.out_shape

    @property
    def out_dtype(self) -> str:
        """See ``Problem``."""
        return "float32"

    @property
    def compared(self) -> int:
        """See ``Problem``."""
        layout = self.geometry.out_layout
        return layout.rows * layout.row_vectors * layout.lanes

    def kernel(self, configuration: Configuration) -> TrialKernel:
        """See ``Problem``."""
        assert isinstance(configuration, Conv2dConfiguration)
        kernel = self.layer_kernel(configuration)
        return TrialKernel(func=kernel.generate(), constants=list(kernel.constants.values()))

    def layer_kernel(self, configuration: Conv2dConfiguration) -> Conv2d | WinogradConv2d:
        """Returns all that determines the kernel of a configuration."""
        candidate = _candidate(self.candidates, configuration)
        stored = candidate.pack(self.weight, configuration.schedule)
        return candidate.kernel(stored, self.geometry, configuration.schedule, self.steps)

    def arguments(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """See ``Problem``."""
        rng, geometry = np.random.default_rng(0), self.geometry
        layout = geometry.in_layout
        planes = (geometry.batch, geometry.in_channels, layout.height, layout.width)
        data = layout.pack(rng.standard_normal(planes, np.float32))
        params = operand_params(self.steps, geometry.out_channels)
        return [data], [rng.standard_normal(shape).astype(dtype) for _, shape, dtype in params]


@dataclass(frozen=True, kw_only=True, eq=False)
class ConvSpace:
    """What there is to choose from for one convolution.

    Attributes:
        starts: what was considered, what is built by default first.
        points: all, the starts included.
    """

    cpu: CpuModel
    problem: ConvProblem
    starts: Sequence[Conv2dConfiguration]
    points: Sequence[Conv2dConfiguration]

    @classmethod
    def of(cls, planned: PlannedConvolution, cpu: CpuModel) -> ConvSpace:
        """Returns the space of a planned convolution."""
        layer, geometry, choice = planned.layer, planned.geometry, planned.choice
        candidates: dict[bool, Sequence[AnyCandidate]] = {
            False: [*dense_candidates(layer), *winograd_candidates(layer)]
        }
        if layer.found.kept_weights < layer.found.dense_weights:
            candidates[True] = list(sparse_candidates(layer))
        starts = [
            Conv2dConfiguration(sparse=each.candidate.kind in _SPARSE, schedule=each.schedule)
            for each in sorted(choice.considered, key=lambda each: each is not choice.chosen)
        ]
        points = [
            Conv2dConfiguration(sparse=sparse, schedule=schedule)
            for sparse, ways in candidates.items()
            for each in ways
            for schedule in each.space(geometry, cpu)
        ]
        problem = ConvProblem(
            weight=layer.weight, geometry=geometry, steps=planned.steps, candidates=candidates
        )
        both = list(dict.fromkeys([*starts, *points]))
        return cls(cpu=cpu, problem=problem, starts=starts, points=both)

    def describe(self, point: Configuration) -> Mapping[str, float]:
        """Returns the features of a point."""
        assert isinstance(point, Conv2dConfiguration)
        candidate = _candidate(self.problem.candidates, point)
        return candidate.features(point, self.problem.geometry, self.cpu)


_SPARSE = ("pattern", "connectivity")


def conv2d_tasks(plan: LanePlan, cpu: CpuModel) -> list[TuningTask]:
    """Returns the distinct convolutions that are kernels of their own, in order."""
    return [conv2d_task(alike, cpu) for alike in distinct_convolutions(plan).values()]


def distinct_convolutions(plan: LanePlan) -> dict[TuningKey, list[PlannedConvolution]]:
    """Returns the convolutions that are kernels of their own, those of a key together."""
    found: dict[TuningKey, list[PlannedConvolution]] = {}
    for item in plan.items:
        if isinstance(item, PlannedConvolution):
            found.setdefault(item.key, []).append(item)
    return found


def conv2d_task(alike: Sequence[PlannedConvolution], cpu: CpuModel) -> TuningTask:
    """Returns the task of convolutions of one key."""
    own = ConvSpace.of(alike[0], cpu)
    return TuningTask(
        key=alike[0].key,
        layers=[each.layer.name for each in alike],
        space=Space(_distinct(own), own.starts, own.describe),
        problem=own.problem,
    )


def _distinct(space: ConvSpace) -> list[Conv2dConfiguration]:
    """Returns the points with different code: of equal ones a start, or else the first."""
    found: dict[Conv2dConfiguration, Conv2dConfiguration] = {}
    for point in space.points:
        found.setdefault(_same_code(point, space.problem.geometry), point)
    return list(found.values())


def _same_code(point: Conv2dConfiguration, geometry: Conv2dGeometry) -> Conv2dConfiguration:
    if not isinstance(point.schedule, Conv2dSchedule):
        return point
    return replace(point, schedule=plainest(point.schedule, geometry))


def _candidate(candidates: Candidates, point: Conv2dConfiguration) -> AnyCandidate:
    return next(each for each in candidates[point.sparse] if each.takes(point.schedule))
