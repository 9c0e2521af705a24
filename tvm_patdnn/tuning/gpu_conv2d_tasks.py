"""The convolutions of a network on a GPU as tasks for tuning.

Their epilogues are left out: they are the same whatever the schedule is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from relay_passes.gpu.plan_gpu import PlannedKernel
from relay_passes.gpu.score_kernels import gpu_dense_candidates, gpu_lists, pack_candidate
from relay_passes.gpu.tuning_keys import gpu_conv2d_key
from relay_passes.lanes.kernel_candidates import Candidate, sparse_candidates
from relay_passes.recognition.analyze_convolutions import ConvLayer
from te_schedules.gpu.conv2d_binding import GpuConv2d
from te_schedules.gpu.conv2d_configuration import GpuConv2dConfiguration
from te_schedules.gpu.conv2d_features import conv2d_features
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.conv2d_space import fits, schedules
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.records.families import Configuration
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.tuning.device_trial import DeviceTrial
from tvm_patdnn.tuning.plain_conv2d import plain_conv2d
from tvm_patdnn.tuning.problem import TuningTask
from tvm_patdnn.tuning.space import Space

__all__ = ["GpuConvProblem", "gpu_conv2d_tasks"]

Candidates = Mapping[tuple[bool, int], Candidate]  # by whether they are sparse, and their group


@dataclass(frozen=True, kw_only=True, eq=False)
class GpuConvProblem:
    """See ``DeviceProblem``."""

    layer: ConvLayer
    geometry: GpuGeometry
    candidates: Candidates

    @property
    def out_shape(self) -> tuple[int, ...]:
        """See ``DeviceProblem``."""
        return self.geometry.out_shape

    @property
    def compared(self) -> int:
        """See ``DeviceProblem``."""
        return self.geometry.out_size[1]

    def trial(self, configuration: Configuration) -> DeviceTrial:
        """See ``DeviceProblem``."""
        assert isinstance(configuration, GpuConv2dConfiguration)
        candidate = self.candidates[configuration.sparse, configuration.group]
        fkw = pack_candidate(self.layer, candidate, configuration.schedule)
        kernel = GpuConv2d(geometry=self.geometry, fkw=fkw, schedule=configuration.schedule)
        return DeviceTrial.of(kernel)

    def arguments(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """See ``DeviceProblem``."""
        rng = np.random.default_rng(0)
        return [rng.standard_normal(self.geometry.in_shape, np.float32)], []

    def expected(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """See ``DeviceProblem``."""
        return plain_conv2d(inputs[0], self.layer.weight, self.geometry, self.layer.groups)


def gpu_conv2d_tasks(plan: Sequence[PlannedKernel], gpu: GpuModel) -> list[TuningTask]:
    """Returns the distinct convolutions of a network, in order; tensors are float32."""
    found: dict[TuningKey, list[PlannedKernel]] = {}
    for item in plan:
        found.setdefault(gpu_conv2d_key(item.layer, gpu, "float32"), []).append(item)
    return [_task(key, alike, gpu) for key, alike in found.items()]


def _task(key: TuningKey, alike: Sequence[PlannedKernel], gpu: GpuModel) -> TuningTask:
    layer, choice = alike[0].layer, alike[0].choice
    candidates = {(False, each.group): each for each in gpu_dense_candidates(layer)}
    if layer.found.kept_weights < layer.found.dense_weights:
        candidates |= {(True, each.group): each for each in sparse_candidates(layer)}
    points = [
        point
        for (sparse, _), each in candidates.items()
        for point in _points(sparse, each, choice.geometry, gpu)
    ]
    starts = [
        _point(each.candidate.kind in _SPARSE, each.candidate, each.schedule)
        for each in sorted(choice.considered, key=lambda each: each is not choice.chosen)
    ]
    return TuningTask(
        key=key,
        layers=[each.layer.name for each in alike],
        space=Space(
            list(dict.fromkeys([*starts, *points])),
            starts,
            partial(_describe, choice.geometry, candidates, gpu),
        ),
        problem=GpuConvProblem(layer=layer, geometry=choice.geometry, candidates=candidates),
    )


def _points(
    sparse: bool, candidate: Candidate, geometry: GpuGeometry, gpu: GpuModel
) -> Iterator[GpuConv2dConfiguration]:
    lists = gpu_lists(candidate)
    for model in (gpu, replace(gpu, shares_memory=not gpu.shares_memory)):
        for schedule in schedules(geometry, lists, model):
            if fits(schedule, geometry, lists, gpu):  # the smallest may not
                yield _point(sparse, candidate, schedule)


_SPARSE = ("pattern", "connectivity")


def _point(sparse: bool, candidate: Candidate, schedule: GpuSchedule) -> GpuConv2dConfiguration:
    return GpuConv2dConfiguration(sparse=sparse, group=candidate.group, schedule=schedule)


def _describe(
    geometry: GpuGeometry, candidates: Candidates, gpu: GpuModel, point: Configuration
) -> Mapping[str, float]:
    assert isinstance(point, GpuConv2dConfiguration)
    lists = gpu_lists(candidates[point.sparse, point.group])
    return conv2d_features(point, geometry, lists, gpu)
