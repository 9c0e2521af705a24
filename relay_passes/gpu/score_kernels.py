"""The ways to store a layer for a GPU, each with its best schedule as measured or modelled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from relay_passes.lanes.kernel_candidates import Candidate, dense_candidates
from relay_passes.recognition.analyze_convolutions import ConvLayer
from te_schedules.gpu.conv2d_configuration import GpuConv2dConfiguration
from te_schedules.gpu.conv2d_cost import GpuLists, estimate
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.conv2d_space import best_schedules, fits
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.records.tuning_records import Record, Records
from tvm_patdnn.sparse.fkw import FKW, pack_fkw

__all__ = [
    "GpuScorer",
    "ScoredGpuCandidate",
    "gpu_dense_candidates",
    "gpu_lists",
    "pack_candidate",
]

DENSE_GROUPS = (4, 8)  # filters that share the inputs; others only where these do not divide


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredGpuCandidate:
    """A candidate with its best schedule.

    Attributes:
        micros: what the cost model gives it.
        seconds: as measured, where there is a record; infinite where one decides against it.
    """

    candidate: Candidate
    schedule: GpuSchedule
    micros: float
    seconds: float | None = None


def gpu_dense_candidates(layer: ConvLayer) -> list[Candidate]:
    """Returns the ways to store a layer as if nothing had been pruned."""
    found = list(dense_candidates(layer))
    return [each for each in found if each.group in DENSE_GROUPS] or found[-1:]


def gpu_lists(candidate: Candidate) -> GpuLists:
    """Returns how many kernels a candidate has of each pattern."""
    lists = candidate.lists
    return GpuLists(
        patterns=candidate.patterns,
        counts=lists.counts,
        groups=lists.groups,
        group=candidate.group,
    )


def pack_candidate(layer: ConvLayer, candidate: Candidate, schedule: GpuSchedule) -> FKW:
    """Stores the weight of a layer as a schedule needs it."""
    # A grouped convolution's filters stay in order: neighbours read the same channels.
    chunks = candidate.lists.groups if layer.groups > 1 else 1
    return pack_fkw(
        layer.weight,
        candidate.ids,
        candidate.patterns,
        candidate.group,
        schedule.window,
        chunks,
    )


@dataclass(frozen=True)
class GpuScorer:
    """Finds the best schedule for one layer.

    Attributes:
        key: of its records.
    """

    geometry: GpuGeometry
    gpu: GpuModel
    records: Records
    key: TuningKey

    def best(self, candidates: Sequence[Candidate], *, sparse: bool) -> ScoredGpuCandidate:
        """Returns the one that was measured, else the one that the cost model likes best."""
        if self.records.refusal(self.key, sparse=sparse):
            return replace(self._best_modelled(candidates), seconds=math.inf)
        record = self.records.best(self.key, sparse=sparse)
        measured = self._recorded(record, candidates) if record is not None else None
        return measured or self._best_modelled(candidates)

    def _recorded(
        self, record: Record, candidates: Sequence[Candidate]
    ) -> ScoredGpuCandidate | None:
        """Returns what a record says, or None where it does not fit this layer."""
        configuration = record.configuration
        assert isinstance(configuration, GpuConv2dConfiguration), "as its key's family says"
        schedule = configuration.schedule
        for candidate in candidates:
            lists = gpu_lists(candidate)
            if candidate.group == configuration.group and fits(
                schedule, self.geometry, lists, self.gpu
            ):
                micros = estimate(self.geometry, lists, schedule, self.gpu).micros
                return ScoredGpuCandidate(
                    candidate=candidate, schedule=schedule, micros=micros, seconds=record.seconds
                )
        return None

    def _best_modelled(self, candidates: Sequence[Candidate]) -> ScoredGpuCandidate:
        scored = [
            ScoredGpuCandidate(candidate=candidate, schedule=schedule, micros=found.micros)
            for candidate in candidates
            for schedule, found in best_schedules(self.geometry, gpu_lists(candidate), self.gpu)
        ]
        return min(scored, key=lambda each: each.micros)
