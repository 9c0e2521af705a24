"""Chooses splits over a whole network, by what its kernels and what lies between them cost.

A tensor that its reader needs in another split than it is written in costs a relayout, else its
halo. What has the least sum is found by dynamic programming over the graph, residual sums
included.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from tvm import relax

from relay_passes.lanes.assign_layouts import LayoutPlan, assign_layouts, input_layouts
from relay_passes.lanes.cheapest_assignment import cheapest_assignment
from relay_passes.lanes.layout_costs import LayoutCosts
from relay_passes.recognition.graph import Convolution, LaneNode
from relay_passes.relax_ir.values import fixed_shape
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import Split

__all__ = ["cheapest_layouts"]


def cheapest_layouts(
    nodes: Sequence[LaneNode], rules: LayoutPlan, costs: LayoutCosts
) -> LayoutPlan:
    """Returns the layouts in which the network takes the least time.

    Args:
        nodes: in the order of computation.
        rules: their layouts without costs, which stay where there is nothing to choose.
    """
    seconds = {
        node.result: costs.of_splits(node, kept)
        for node in nodes
        if (kept := rules.split(node.result)) is not None
    }
    written = [node for node in nodes if node.result in seconds]
    if not any(
        len(seconds[node.result]) > 1 for node in written if isinstance(node.operator, Convolution)
    ):
        return rules
    choices = {var: list(own) for var, own in seconds.items()}
    alone = [np.array(list(seconds[node.result].values())) for node in written]
    found = cheapest_assignment(alone, _between(written, choices, costs))
    chosen = {
        node.result: choices[node.result][value] for node, value in zip(written, found, strict=True)
    }
    return assign_layouts(nodes, costs.cpu.lanes, chosen)


def _between(
    nodes: Sequence[LaneNode], choices: Mapping[relax.Var, Sequence[Split]], costs: LayoutCosts
) -> dict[tuple[int, int], np.ndarray]:
    """Returns what lies between nodes, by the splits of both.

    Two readers that need one relayout or one halo are counted as if each had its own.
    """
    places = {node.result: i for i, node in enumerate(nodes)}
    tables: dict[tuple[int, int], np.ndarray] = defaultdict(lambda: np.zeros(()))
    for i, node in enumerate(nodes):
        for at, var in enumerate(node.tensors):
            if (source := places.get(var)) is None:
                continue
            batch, channels = fixed_shape(var)[:2]
            needed = [_needed(node, at, split) for split in choices[node.result]]
            table = [
                [costs.between(split, batch * channels, need) for need in needed]
                for split in choices[var]
            ]
            tables[source, i] = tables[source, i] + np.array(table)
    return dict(tables)


def _needed(node: LaneNode, at: int, output: Split) -> LaneLayout:
    """Returns the layout in which a node that writes ``output`` reads one of its tensors."""
    return input_layouts(node, output)[at] if at < len(node.inputs) else LaneLayout(output)
