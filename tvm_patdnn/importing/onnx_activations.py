"""Writes piecewise linear activations as a Mul, an Add and a Clip."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes

__all__ = ["expand_celu", "expand_hard_sigmoid", "expand_hard_swish"]

_CLIP_TAKES_TENSORS = 11  # from this operator set on


def expand_celu(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: Celu(x). After: alpha * Elu(x / alpha)."""
    if node.op_type != "Celu":
        return None
    data, result = node.input[0], node.output[0]
    alpha = _number(graph, attributes(node).get("alpha", 1.0), result)
    divided, bent = graph.fresh(f"{result}_divided"), graph.fresh(f"{result}_bent")
    return [
        helper.make_node("Div", [data, alpha], [divided]),
        helper.make_node("Elu", [divided], [bent]),
        helper.make_node("Mul", [bent, alpha], [result], name=node.name),
    ]


def expand_hard_sigmoid(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: HardSigmoid(x). After: Clip(x * alpha + beta, 0, 1)."""
    if node.op_type != "HardSigmoid":
        return None
    given = attributes(node)
    alpha, beta = given.get("alpha", 0.2), given.get("beta", 0.5)
    return _hard_sigmoid(graph, node.input[0], node.output[0], alpha, beta)


def expand_hard_swish(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: HardSwish(x). After: x * Clip(x / 6 + 0.5, 0, 1)."""
    if node.op_type != "HardSwish":
        return None
    data, result = node.input[0], node.output[0]
    gate = graph.fresh(f"{result}_gate")
    nodes = _hard_sigmoid(graph, data, gate, 1 / 6, 0.5)
    return [*nodes, helper.make_node("Mul", [data, gate], [result], name=node.name)]


def _hard_sigmoid(
    graph: OnnxGraph, data: str, result: str, alpha: float, beta: float
) -> list[onnx.NodeProto]:
    scaled, shifted = graph.fresh(f"{result}_scaled"), graph.fresh(f"{result}_shifted")
    return [
        helper.make_node("Mul", [data, _number(graph, alpha, result)], [scaled]),
        helper.make_node("Add", [scaled, _number(graph, beta, result)], [shifted]),
        _clip(graph, shifted, result),
    ]


def _clip(graph: OnnxGraph, data: str, result: str) -> onnx.NodeProto:
    if graph.opset < _CLIP_TAKES_TENSORS:
        return helper.make_node("Clip", [data], [result], min=0.0, max=1.0)
    bounds = [_number(graph, bound, result) for bound in (0.0, 1.0)]
    return helper.make_node("Clip", [data, *bounds], [result])


def _number(graph: OnnxGraph, value: float, result: str) -> str:
    return graph.add_constant(np.array(value, np.float32), f"{result}_number")
