"""Decides for each convolution which kernel computes it, and says why.

A pruned layer may be computed from its patterns or as if it were dense; it gets whichever
is faster, as measured where there are tuning records for both and else by the cost model,
so that a layer below the break-even compression is never slower than in the dense build.
The schedule is that of the layer's record. A layer without one takes that of a similar layer,
unless the cost model finds it clearly worse than its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from relay_passes.lanes.kernel_candidates import (
    Kind,
    StoredKernels,
    dense_candidates,
    sparse_candidates,
)
from relay_passes.lanes.limit_kernels import limited_kernel
from relay_passes.lanes.tuning_keys import conv2d_key
from relay_passes.lanes.winograd_candidates import AnyCandidate, winograd_candidates
from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.recognition.break_even import break_even
from te_schedules.cpu.conv2d_configuration import AnySchedule, Conv2dConfiguration
from te_schedules.cpu.conv2d_cost import ranking_cpu
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.tuning_records import Record, Records

__all__ = ["KernelChoice", "ScoredCandidate", "choose_kernel"]

SIMILAR_CYCLES = 1.15  # a schedule of a similar layer may cost this much more by the cost model


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredCandidate:
    """A candidate with its best schedule.

    Attributes:
        cycles: what the cost model gives it.
        seconds: as measured, where there is a record; infinite where one decides against it.
        similar: the schedule was measured for a similar layer.
    """

    candidate: AnyCandidate
    schedule: AnySchedule
    cycles: float
    seconds: float | None = None
    similar: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelChoice:
    """The kernel of one layer.

    Attributes:
        reason: why this one, for people.
        considered: the best ways that it was chosen from.
    """

    layer: ConvLayer
    chosen: ScoredCandidate
    considered: tuple[ScoredCandidate, ...]
    reason: str

    @property
    def kind(self) -> Kind:
        """How the layer is computed."""
        return self.chosen.candidate.kind

    @property
    def schedule(self) -> AnySchedule:
        """The point of the schedule space."""
        return self.chosen.schedule

    @property
    def cycles(self) -> float:
        """What the cost model gives it."""
        return self.chosen.cycles

    @cached_property
    def fkw(self) -> StoredKernels:
        """The weight, packed when it is first asked for."""
        return self.chosen.candidate.pack(self.layer.weight, self.schedule)


def choose_kernel(
    layer: ConvLayer,
    geometry: Conv2dGeometry,
    cpu: CpuModel,
    *,
    optimizations: Optimizations | None = None,
    records: Records | None = None,
    planes: bool = False,
) -> KernelChoice:
    """Chooses the kernel and its schedule.

    Args:
        optimizations: what is left out, if anything; then a pruned layer is computed as it
            says even where that is slower than dense.
        records: measured schedules, which are preferred to what the cost model says.
        planes: whether whole planes are best computed at a time, for the kernel that reads them.
    """
    use = optimizations or Optimizations()
    scorer = _Scorer(layer, geometry, cpu, records or Records(), planes)
    by_transforms = winograd_candidates(layer, transforms=use.transforms)
    dense = scorer.best([*dense_candidates(layer), *by_transforms], sparse=False)
    if not use.sparse:
        return _choice(layer, dense, [dense], "sparse kernels are switched off")
    if layer.found.kept_weights == layer.found.dense_weights:
        return _choice(layer, dense, [dense], "nothing was pruned")
    if not use.complete:
        candidate, schedule, cost = limited_kernel(layer, geometry, cpu, use)
        limited = ScoredCandidate(candidate=candidate, schedule=schedule, cycles=cost)
        return _choice(layer, limited, [limited], f"as asked for: {use}")
    pruned = scorer.best(list(sparse_candidates(layer)), sparse=True)
    faster, reason = _compare(layer, dense, pruned)
    return _choice(layer, faster, [dense, pruned], reason)


@dataclass(frozen=True)
class _Scorer:
    """Finds the best schedule for one layer."""

    layer: ConvLayer
    geometry: Conv2dGeometry
    cpu: CpuModel
    records: Records
    planes: bool

    def best(self, candidates: Sequence[AnyCandidate], *, sparse: bool) -> ScoredCandidate:
        if not self.records:
            return self._best_modelled(candidates)
        key = conv2d_key(self.layer, self.geometry, self.cpu)
        if self.records.refusal(key, sparse=sparse):
            return replace(self._best_modelled(candidates), seconds=math.inf)
        record = self.records.best(key, sparse=sparse)
        measured = self._recorded(record, candidates) if record is not None else None
        if measured is not None:
            return measured
        modelled = self._best_modelled(candidates)
        most = self._beside_copies(modelled) * SIMILAR_CYCLES
        for record in self.records.similar(key, sparse=sparse):
            scored = self._recorded(record, candidates)
            if scored is not None and self._beside_copies(scored) <= most:
                return replace(scored, seconds=None, similar=True)
        return modelled

    def _beside_copies(self, scored: ScoredCandidate) -> float:
        """Returns the cycles on the scale on which schedules that copy inputs are scored, too."""
        candidate, schedule = scored.candidate, scored.schedule
        return candidate.cycles(self.geometry, schedule, self.cpu, beside_copies=True)

    def _recorded(
        self, record: Record, candidates: Sequence[AnyCandidate]
    ) -> ScoredCandidate | None:
        """Returns what a record says, or None where it does not fit this layer."""
        assert isinstance(record.configuration, Conv2dConfiguration), "as its key's family says"
        schedule = record.configuration.schedule
        if self.planes and not schedule.whole_planes:
            return None
        for candidate in candidates:
            if candidate.takes(schedule) and candidate.fits(schedule, self.geometry):
                cost = candidate.cycles(self.geometry, schedule, self.cpu)
                return ScoredCandidate(
                    candidate=candidate, schedule=schedule, cycles=cost, seconds=record.seconds
                )
        return None

    def _best_modelled(self, candidates: Sequence[AnyCandidate]) -> ScoredCandidate:
        scored = [each for candidate in candidates for each in self._modelled(candidate)]
        return min(scored, key=self._rank)

    def _rank(self, scored: ScoredCandidate) -> float:
        ranked = ranking_cpu(self.geometry, self.cpu)
        if ranked == self.cpu:
            return scored.cycles
        found = scored.candidate.scheduled(self.geometry, ranked, planes=self.planes)
        assert found is not None, "it was scheduled before"
        return found[1]

    def _modelled(self, candidate: AnyCandidate) -> list[ScoredCandidate]:
        found = candidate.scheduled(self.geometry, self.cpu, planes=self.planes)
        if found is None:
            return []
        schedule, cost = found
        return [ScoredCandidate(candidate=candidate, schedule=schedule, cycles=cost)]


def _compare(
    layer: ConvLayer, dense: ScoredCandidate, pruned: ScoredCandidate
) -> tuple[ScoredCandidate, str]:
    """Returns the faster of the two, and why."""
    if pruned.seconds is not None and dense.seconds is not None:
        share, how = pruned.seconds / dense.seconds, "as measured"
    else:
        share, how = pruned.cycles / dense.cycles, "by the cost model"
    faster, reason = break_even(layer, share, how, pruned.schedule.group)
    return (pruned if faster else dense), reason


def _choice(
    layer: ConvLayer, chosen: ScoredCandidate, considered: Sequence[ScoredCandidate], reason: str
) -> KernelChoice:
    schedule = chosen.schedule
    if isinstance(schedule, WinogradSchedule) and schedule.transforms:
        reason = f"{reason}; Winograd's transforms of {schedule.rows}x{schedule.vectors} outputs"
    if chosen.similar:
        reason = f"{reason}; scheduled as a similar layer that was measured"
    elif chosen.seconds is not None and not reason.endswith("as measured"):
        reason = f"{reason}; scheduled as measured"
    return KernelChoice(layer=layer, chosen=chosen, considered=tuple(considered), reason=reason)
