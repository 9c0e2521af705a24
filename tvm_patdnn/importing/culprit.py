"""Finds the node of a model that a later step cannot compile.

Passes and TVM's lowering know no nodes of the ONNX file, and their errors name none. So
beginnings of the network are tried: the shortest that fails ends with the culprit.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import onnx
from onnx import helper

__all__ = ["culprit"]

_PATIENCE = 20  # seconds, after which no further beginning is tried


def culprit(
    model: onnx.ModelProto, fails: Callable[[onnx.ModelProto], bool]
) -> onnx.NodeProto | None:
    """Returns the node that is to blame; None if it is not found in time.

    Args:
        model: its inputs have fixed shapes; left as it is.
        fails: tries to compile a model.
    """
    deadline = time.monotonic() + _PATIENCE
    good, bad = 0, len(model.graph.node)
    if fails(_beginning(model, 0)):
        return None  # then it is not one of the nodes
    while bad - good > 1 and time.monotonic() < deadline:
        middle = (good + bad) // 2
        if fails(_beginning(model, middle)):
            bad = middle
        else:
            good = middle
    return model.graph.node[bad - 1] if bad - good == 1 else None


def _beginning(model: onnx.ModelProto, count: int) -> onnx.ModelProto:
    """Returns the model of the first ``count`` nodes; what nobody reads is an output."""
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    graph = cut.graph
    del graph.node[count:], graph.output[:]
    if count == 0:
        first = graph.input[0].name
        graph.node.append(helper.make_node("Identity", [first], ["copy"]))
    read = {name for node in graph.node for name in node.input}
    ends = [name for node in graph.node for name in node.output if name and name not in read]
    graph.output.extend(helper.make_empty_tensor_value_info(name) for name in ends)
    return cut
