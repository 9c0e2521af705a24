"""What was measured of a convolution and the depthwise one in its kernel, and the pair it makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from relay_passes.lanes.choose_kernels import ScoredCandidate
from relay_passes.lanes.kernel_candidates import dense_candidates, sparse_candidates
from relay_passes.lanes.plan import PlannedConvolution, PlannedPair
from relay_passes.lanes.winograd_candidates import AnyCandidate
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.pair_configuration import FAMILY, PairConfiguration
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.records.tuning_key import TuningKey
from tvm_patdnn.records.tuning_records import Records

__all__ = ["pair_key", "recorded_pair"]


def pair_key(pair: PlannedPair) -> TuningKey:
    """Returns what tuning records call a pair."""
    first, second = pair.first.key, pair.depthwise.key
    behind = second.workload.split()
    words = [word if i % 2 else f"depthwise-{word}" for i, word in enumerate(behind)]
    return replace(
        first,
        family=FAMILY,
        workload=f"{first.workload} {' '.join(words)}",
        layout=f"{first.layout}, {second.layout}",
    )


def recorded_pair(pair: PlannedPair, cpu: CpuModel, records: Records) -> PlannedPair:
    """Returns the pair as the fastest record says; as it is, where none fits."""
    key = pair_key(pair)
    own = [r for sparse in (True, False) if (r := records.best(key, sparse=sparse)) is not None]
    for record in sorted(own, key=lambda record: record.seconds or 0.0):
        configuration = record.configuration
        assert isinstance(configuration, PairConfiguration), "as its key's family says"
        layer = pair.first.layer
        kinds: Iterator[AnyCandidate]
        kinds = sparse_candidates(layer) if record.sparse else dense_candidates(layer)
        first = _as_recorded(pair.first, configuration.first, list(kinds), cpu)
        chosen = [pair.depthwise.choice.chosen.candidate]
        second = _as_recorded(pair.depthwise, configuration.depthwise, chosen, cpu)
        if first is not None and second is not None:
            return PlannedPair(first=first, depthwise=second)
    return pair


def _as_recorded(
    planned: PlannedConvolution,
    configuration: Conv2dConfiguration,
    candidates: Sequence[AnyCandidate],
    cpu: CpuModel,
) -> PlannedConvolution | None:
    schedule, geometry = configuration.schedule, planned.geometry
    for candidate in candidates:
        if candidate.takes(schedule) and candidate.fits(schedule, geometry):
            cost = candidate.cycles(geometry, schedule, cpu)
            scored = ScoredCandidate(candidate=candidate, schedule=schedule, cycles=cost)
            reason = "in one kernel with the depthwise layer behind it, as measured"
            choice = replace(planned.choice, chosen=scored, reason=reason)
            return replace(planned, choice=choice)
    return None
