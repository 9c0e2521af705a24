"""Decides for each convolution which kernel computes it, and says why.

A pruned layer may be computed from its patterns or as if it were dense; it gets whichever
is faster, as measured where there are tuning records for both and else by the cost model,
so that a layer below the break-even compression is never slower than in the dense build.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from relay_passes.lanes.analyze_convolutions import ConvLayer
from relay_passes.lanes.cover_patterns import cover_patterns
from te_schedules.cpu.conv2d_cost import KernelLists, cycles
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Taps
from te_schedules.cpu.conv2d_space import choose_schedule, fits, fixed_schedule
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.tuning_records import Records
from tvm_patdnn.sparse.fkw import FKW, Order, group_members, pack_fkw
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["KernelChoice", "choose_kernel"]

DENSE_GROUPS = (1, 2, 3, 4, 6, 8)  # filters that may share a loaded input
SPARSE_GROUPS = (1, 2, 4, 8)  # the same, where neighbours were pruned as one

Kind = Literal["pattern", "connectivity", "dense", "depthwise"]


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelChoice:
    """The kernel of one layer.

    Attributes:
        reason: why this one, for people.
        cycles: what the cost model gives it.
    """

    kind: Kind
    reason: str
    fkw: FKW
    schedule: Conv2dSchedule
    cycles: float


@dataclass(frozen=True)
class _Candidate:
    """A way to store a layer: see ``pack_fkw``."""

    kind: Kind
    ids: np.ndarray
    patterns: tuple[Pattern, ...]
    group: int
    order: Order = Order.FKR


@dataclass(frozen=True)
class _Scored:
    """A candidate with its best schedule.

    Attributes:
        seconds: as measured, where there is a record.
    """

    candidate: _Candidate
    schedule: Conv2dSchedule
    cycles: float
    seconds: float | None = None


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
    scorer = _Scorer(layer, geometry, cpu, records or {}, planes)
    dense = scorer.best(list(_dense(layer)), sparse=False)
    if not use.sparse:
        return _choice(layer, dense, reason="sparse kernels are switched off")
    if layer.found.kept_weights == layer.found.dense_weights:
        return _choice(layer, dense, reason="nothing was pruned")
    if not use.complete:
        return _choice(layer, _limited(layer, geometry, cpu, use), reason=f"as asked for: {use}")
    pruned = scorer.best(list(_sparse(layer)), sparse=True)
    if pruned.seconds is not None and dense.seconds is not None:
        share, how = pruned.seconds / dense.seconds, "as measured"
    else:
        share, how = pruned.cycles / dense.cycles, "by the cost model"
    if share < 1.0:
        group = pruned.candidate.group
        shared = f", in blocks of {group} filters" if group > 1 else ""
        reason = f"{_found(layer)}{shared}: {1 / share:.1f}x faster than dense {how}"
        return _choice(layer, pruned, reason=reason)
    reason = f"{_found(layer)}: below break-even, {share:.1f}x dense's time {how}"
    return _choice(layer, dense, reason=reason)


@dataclass(frozen=True)
class _Scorer:
    """Finds the best schedule for one layer."""

    layer: ConvLayer
    geometry: Conv2dGeometry
    cpu: CpuModel
    records: Records
    planes: bool

    def best(self, candidates: Sequence[_Candidate], *, sparse: bool) -> _Scored:
        record = self.records.get((self.layer.workload, sparse))
        if record is not None and fits(record.schedule, self.geometry):
            for candidate in candidates:
                if candidate.group == record.schedule.group:
                    lists = _lists(candidate)
                    cost = cycles(self.geometry, lists, record.schedule, self.cpu)
                    return _Scored(candidate, record.schedule, cost, record.seconds)
        return min((self._modelled(c) for c in candidates), key=lambda scored: scored.cycles)

    def _modelled(self, candidate: _Candidate) -> _Scored:
        lists = _lists(candidate)
        chosen = choose_schedule(
            self.geometry, lists, candidate.group, self.cpu, planes=self.planes
        )
        return _Scored(candidate, *chosen)


def _limited(
    layer: ConvLayer, geometry: Conv2dGeometry, cpu: CpuModel, use: Optimizations
) -> _Scored:
    """Returns the sparse kernel without some of what makes it fast."""
    candidate = next(_sparse(layer))
    if not use.patterns:
        candidate = replace(candidate, order=Order.CSR)
    elif not use.reorder:
        candidate = replace(candidate, order=Order.CHANNEL)
    lists = _lists(candidate)
    choose = choose_schedule if use.tune else fixed_schedule
    schedule, cost = choose(geometry, lists, candidate.group, cpu)
    if candidate.order is not Order.FKR or not use.share_loads:
        schedule = replace(schedule, taps=Taps.TABLE)
    return _Scored(candidate, schedule, cost)


def _dense(layer: ConvLayer) -> Iterator[_Candidate]:
    """Yields the ways to store a layer as if nothing had been pruned."""
    height, width = layer.kernel_shape
    full = Pattern(kernel_shape=(height, width), taps=tuple(np.ndindex(height, width)))
    out_c, in_c = layer.weight.shape[:2]
    ids = np.zeros((out_c, in_c), np.int32)
    kind: Kind = "depthwise" if layer.groups > 1 and in_c == 1 else "dense"
    for group in DENSE_GROUPS:
        shared = layer.groups == 1 and group <= out_c
        if group == 1 or shared or out_c // layer.groups % group == 0:
            yield _Candidate(kind, _expand(ids, layer.groups), (full,), group)


def _sparse(layer: ConvLayer) -> Iterator[_Candidate]:
    """Yields the ways to store a layer by its patterns: by single filters first."""
    found = layer.found
    ids, patterns = _in_order(*cover_patterns(found.ids, found.patterns, found.counts))
    area = layer.kernel_shape[0] * layer.kernel_shape[1]
    kind: Kind = "pattern" if any(len(p) < area for p in patterns) else "connectivity"
    ids = _expand(ids, layer.groups)
    for group in (g for g in SPARSE_GROUPS if g <= max(1, len(ids))):
        rows = ids[group_members(len(ids), group)]
        if np.array_equal(rows, np.broadcast_to(rows[:, :1], rows.shape)):
            yield _Candidate(kind, ids, patterns, group)


def _in_order(
    ids: np.ndarray, patterns: Sequence[Pattern]
) -> tuple[np.ndarray, tuple[Pattern, ...]]:
    """Sorts a pattern set, so that layers which use the same set share one kernel."""
    order = sorted(range(len(patterns)), key=lambda p: patterns[p])
    rank = np.full(len(patterns) + 1, -1, np.int32)  # the last is where an id of -1 points
    rank[order] = np.arange(len(order))
    return rank[ids], tuple(patterns[p] for p in order)


def _expand(ids: np.ndarray, groups: int) -> np.ndarray:
    """Places the kernels of a grouped convolution at their absolute input channels."""
    if groups == 1:
        return ids
    out_c, in_c = ids.shape
    expanded = np.full((out_c, in_c * groups), -1, np.int32)
    for group, rows in enumerate(np.split(np.arange(out_c), groups)):
        expanded[rows, group * in_c : (group + 1) * in_c] = ids[rows]
    return expanded


def _lists(candidate: _Candidate) -> KernelLists:
    kept = candidate.ids[:: candidate.group]
    counts = np.bincount(kept[kept >= 0], minlength=len(candidate.patterns))
    return KernelLists(patterns=candidate.patterns, counts=tuple(counts.tolist()), groups=len(kept))


def _choice(layer: ConvLayer, scored: _Scored, reason: str) -> KernelChoice:
    candidate = scored.candidate
    return KernelChoice(
        kind=candidate.kind,
        reason=reason,
        fkw=pack_fkw(
            layer.weight,
            candidate.ids,
            candidate.patterns,
            candidate.group,
            scored.schedule.window,
            candidate.order,
            scored.schedule.chunks,
        ),
        schedule=scored.schedule,
        cycles=scored.cycles,
    )


def _found(layer: ConvLayer) -> str:
    found = layer.found
    removed = 1 - found.kept_kernels / found.ids.size
    patterns = f"{len(found.patterns)} pattern{'s' * (len(found.patterns) != 1)}"
    return f"{patterns}, {removed:.0%} of the kernels gone, {found.compression:.1f}x"
