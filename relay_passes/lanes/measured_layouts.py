"""Chooses splits over a whole network, where its convolutions were measured in several.

A convolution costs what was measured in each split; those without a choice keep the split of the
rules. A tensor that its reader needs in another split than it is written in costs a relayout.
What has the least sum is found by dynamic programming over the graph, residual sums included.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from tvm import relax

from relay_passes.lanes.assign_layouts import (
    LayoutPlan,
    assign_layouts,
    enlarged,
    input_layouts,
)
from relay_passes.lanes.cheapest_assignment import cheapest_assignment
from relay_passes.lanes.tuning_keys import splits_text
from relay_passes.recognition.graph import Convolution, LaneNode
from relay_passes.relax_ir.values import fixed_shape
from te_schedules.cpu.conv2d_configuration import FAMILY
from te_schedules.cpu.conv2d_geometry import holding
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import Split, splits
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.records.tuning_key import without_halos
from tvm_patdnn.records.tuning_records import Records

__all__ = ["measured_layouts"]

RELAYOUT_S = 1.2e-9  # of a value that is laid out anew, halos included, on one core of a Zen 3
COPY_S = 0.2e-9  # of a value that a pooling or a copy writes

_Seconds = Mapping[tuple[str, str], float]  # by workload and splits


def measured_layouts(
    nodes: Sequence[LaneNode], rules: LayoutPlan, cpu: CpuModel, records: Records
) -> LayoutPlan:
    """Returns the layouts that are the fastest as measured.

    Args:
        nodes: in the order of computation.
        rules: their layouts without measurements, which stay where there is nothing to choose.
    """
    seconds = _decided(cpu, records)
    written = [node for node in nodes if rules.split(node.result) is not None]
    choices = [_choices(node, rules, seconds) for node in written]
    if not any(
        len(own) > 1 and isinstance(node.operator, Convolution)
        for node, own in zip(written, choices, strict=True)
    ):
        return rules
    alone = [
        np.array([_alone(node, split, cpu, seconds) for split in own])
        for node, own in zip(written, choices, strict=True)
    ]
    found = cheapest_assignment(alone, _relayouts(written, choices, cpu))
    chosen = {
        node.result: own[value] for node, own, value in zip(written, choices, found, strict=True)
    }
    return assign_layouts(nodes, cpu.lanes, chosen)


def _decided(cpu: CpuModel, records: Records) -> _Seconds:
    """Returns the seconds of what was decided for each convolution in each of its splits."""
    found: dict[tuple[str, str], float] = {}
    for key in records.layers():
        if (key.family, key.lanes, key.threads, key.cpu) != (
            FAMILY,
            cpu.lanes,
            cpu.num_cores,
            cpu.name,
        ):
            continue
        for record in (records.best(key, sparse=sparse) for sparse in (False, True)):
            if record is not None and record.chosen and record.seconds is not None:
                place = key.workload, without_halos(key.layout)
                found[place] = min(record.seconds, found.get(place, record.seconds))
    return found


def _choices(node: LaneNode, rules: LayoutPlan, seconds: _Seconds) -> list[Split]:
    """Returns the splits in which a node may write its result, that of the rules first."""
    kept = rules.split(node.result)
    assert kept is not None, "it is written in lanes"
    others = [split for split in _splits(node, kept.lanes) if split != kept]
    if not isinstance(node.operator, Convolution):
        return [kept, *others]
    if _measured(node, kept, seconds) is None:
        return [kept]
    return [kept, *(s for s in others if _measured(node, s, seconds) is not None)]


def _splits(node: LaneNode, lanes: int) -> list[Split]:
    """Returns all splits in which a node can write its result."""
    height, width = fixed_shape(node.result)[2:]
    in_height, in_width = fixed_shape(node.inputs[0])[2:]
    if node.window is not None:
        found = splits(height, width, lanes)
        return [holding(split, node.window, in_height, in_width) for split in found]
    return [enlarged(node, split) for split in splits(in_height, in_width, lanes)]


def _measured(node: LaneNode, split: Split, seconds: _Seconds) -> float | None:
    assert isinstance(node.operator, Convolution)
    (source,) = input_layouts(node, split)
    return seconds.get((node.operator.layer.workload, splits_text(source.split, split)))


def _alone(node: LaneNode, split: Split, cpu: CpuModel, seconds: _Seconds) -> float:
    """Returns what a node costs without relayouts; the same for all splits, where not known."""
    if isinstance(node.operator, Convolution):
        return _measured(node, split, seconds) or 0.0
    batch, channels = fixed_shape(node.result)[:2]
    return COPY_S * batch * channels * split.vectors * split.lanes / cpu.num_cores


def _relayouts(
    nodes: Sequence[LaneNode], choices: Sequence[Sequence[Split]], cpu: CpuModel
) -> dict[tuple[int, int], np.ndarray]:
    """Returns what relayouts cost between nodes, by the splits of both.

    Two readers that need one relayout are counted as if each had its own.
    """
    places = {node.result: i for i, node in enumerate(nodes)}
    costs: dict[tuple[int, int], np.ndarray] = defaultdict(lambda: np.zeros(()))
    for i, node in enumerate(nodes):
        for at, var in enumerate(node.tensors):
            if (source := places.get(var)) is None:
                continue
            needed = [_needed(node, at, split) for split in choices[i]]
            table = np.array(
                [[_move(var, split, need, cpu) for need in needed] for split in choices[source]]
            )
            costs[source, i] = costs[source, i] + table
    return dict(costs)


def _needed(node: LaneNode, at: int, output: Split) -> LaneLayout:
    """Returns the layout in which a node that writes ``output`` reads one of its tensors."""
    return input_layouts(node, output)[at] if at < len(node.inputs) else LaneLayout(output)


def _move(var: relax.Var, split: Split, needed: LaneLayout, cpu: CpuModel) -> float:
    if split == needed.split:
        return 0.0
    batch, channels = fixed_shape(var)[:2]
    return RELAYOUT_S * batch * channels * needed.plane_values / cpu.num_cores
