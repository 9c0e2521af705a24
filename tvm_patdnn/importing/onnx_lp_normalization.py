"""Writes LpNormalization as a division by the norm."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper

from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes

__all__ = ["divide_by_norm"]

_AXES_ARE_INPUT = 18  # of reductions, from this operator set on


def divide_by_norm(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: LpNormalization(x). After: x / the norm along its axis, or 0 where that is 0."""
    if node.op_type != "LpNormalization":
        return None
    given, (data,), (result,) = attributes(node), node.input, node.output
    axes: dict[str, Any] = {"axes": [given.get("axis", -1)]}
    inputs = [data]
    if graph.opset >= _AXES_ARE_INPUT:
        inputs.append(graph.add_constant(np.array(axes.pop("axes")), f"{result}_axes"))
    dtype = helper.tensor_dtype_to_np_dtype(graph.element_type(data))
    zero, one = (graph.add_constant(np.array(n, dtype), f"{result}_number") for n in (0, 1))
    norm, is_zero, divisor = (
        graph.fresh(f"{result}_{name}") for name in ("norm", "is_zero", "divisor")
    )
    reduction = f"ReduceL{given.get('p', 2)}"
    return [
        helper.make_node(reduction, inputs, [norm], keepdims=1, **axes),
        helper.make_node("Equal", [norm, zero], [is_zero]),
        helper.make_node("Where", [is_zero, one, norm], [divisor]),
        helper.make_node("Div", [data, divisor], [result], name=node.name),
    ]
