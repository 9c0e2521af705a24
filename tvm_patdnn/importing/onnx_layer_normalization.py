"""Writes a LayerNormalization that also returns its statistics as what it computes."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes

__all__ = ["expand_layer_normalization"]

_AXES_ARE_INPUT = 18  # of reductions, from this operator set on


def expand_layer_normalization(
    graph: OnnxGraph, node: onnx.NodeProto
) -> list[onnx.NodeProto] | None:
    """Before: y, mean, inverse = LayerNormalization(x). After: means, a root and a division.

    TVM's own has one result.
    """
    shape = graph.shape(node.input[0]) if node.input else None
    if node.op_type != "LayerNormalization" or shape is None or not any(node.output[1:]):
        return None
    given, result = attributes(node), node.output[0]
    dtype = helper.tensor_dtype_to_np_dtype(graph.element_type(node.input[0]))
    epsilon = np.array(given.get("epsilon", 1e-5), dtype)
    axes = list(range(given.get("axis", -1) % len(shape), len(shape)))
    outputs = [*node.output, "", ""][1:3]
    mean, inverse = (
        name or graph.fresh(f"{result}_{kind}")
        for name, kind in zip(outputs, ("mean", "inverse"), strict=True)
    )
    names = ("centred", "squared", "variance", "safe", "deviation", "scaled", "weighted")
    new = {name: graph.fresh(f"{result}_{name}") for name in names}
    shift = node.input[2] if len(node.input) > 2 else ""
    add = helper.make_node
    nodes = [
        _mean(graph, node.input[0], mean, axes),
        add("Sub", [node.input[0], mean], [new["centred"]]),
        add("Mul", [new["centred"], new["centred"]], [new["squared"]]),
        _mean(graph, new["squared"], new["variance"], axes),
        add("Add", [new["variance"], graph.add_constant(epsilon, "epsilon")], [new["safe"]]),
        add("Sqrt", [new["safe"]], [new["deviation"]]),
        add("Reciprocal", [new["deviation"]], [inverse]),
        add("Mul", [new["centred"], inverse], [new["scaled"]]),
        add("Mul", [new["scaled"], node.input[1]], [new["weighted"] if shift else result]),
    ]
    if shift:
        nodes.append(add("Add", [new["weighted"], shift], [result], name=node.name))
    return nodes


def _mean(graph: OnnxGraph, data: str, result: str, axes: list[int]) -> onnx.NodeProto:
    if graph.opset >= _AXES_ARE_INPUT:
        numbers = graph.add_constant(np.array(axes), f"{result}_axes")
        return helper.make_node("ReduceMean", [data, numbers], [result], keepdims=1)
    return helper.make_node("ReduceMean", [data], [result], keepdims=1, axes=axes)
