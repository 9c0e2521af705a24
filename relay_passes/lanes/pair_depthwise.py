"""Finds depthwise convolutions that can be computed in one kernel with what they read.

A network such as MobileNet widens a tensor only to convolve it depthwise. Plane by plane,
the wide tensor need not be stored: it never leaves the nearest cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tvm import relax

from relay_passes.lanes.assign_layouts import LayoutPlan
from relay_passes.recognition.graph import Convolution, LaneNode

__all__ = ["pair_depthwise"]


def pair_depthwise(
    nodes: Sequence[LaneNode], plan: LayoutPlan, uses: Mapping[relax.Var, int]
) -> dict[relax.Var, LaneNode]:
    """Returns the convolutions that are read by a depthwise one alone, by the result of that.

    Args:
        nodes: in the order of computation; no node is in two pairs.
        uses: how often each variable is read.
    """
    producers = {node.result: node for node in nodes if isinstance(node.operator, Convolution)}
    pairs: dict[relax.Var, LaneNode] = {}
    for node in nodes:
        source = producers.get(node.inputs[0])
        if source is None or not _is_depthwise(node) or source.result in pairs:
            continue
        if uses[source.result] == 1 and plan.is_produced(source.result, plan.reads(node)[0].split):
            pairs[node.result] = source
    return pairs


def _is_depthwise(node: LaneNode) -> bool:
    if not isinstance(node.operator, Convolution):
        return False
    layer = node.operator.layer
    filters, channels = layer.weight.shape[:2]
    return channels == 1 and layer.groups == filters
