"""Writes tests of numbers as what TVM compiles: IsInf for one sign, Equal of truth values."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes

__all__ = ["equal_truths", "signed_is_inf"]


def signed_is_inf(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: IsInf(x) that leaves a sign out. After: Equal(x, the other infinity)."""
    if node.op_type != "IsInf":
        return None
    given = attributes(node)
    wanted = given.get("detect_negative", 1), given.get("detect_positive", 1)
    if all(wanted):
        return None
    number = {(0, 1): np.inf, (1, 0): -np.inf}.get(wanted, np.nan)  # which nothing equals
    dtype = helper.tensor_dtype_to_np_dtype(graph.element_type(node.input[0]))
    bound = graph.add_constant(np.array(number, dtype), f"{node.output[0]}_infinity")
    return [helper.make_node("Equal", [node.input[0], bound], node.output, name=node.name)]


def equal_truths(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: Equal(a, b) of bool, which TVM compares as if they were floats. After: Not(Xor)."""
    if node.op_type != "Equal" or graph.element_type(node.input[0]) != TensorProto.BOOL:
        return None
    differ = graph.fresh(f"{node.output[0]}_differ")
    return [
        helper.make_node("Xor", node.input, [differ]),
        helper.make_node("Not", [differ], node.output, name=node.name),
    ]
