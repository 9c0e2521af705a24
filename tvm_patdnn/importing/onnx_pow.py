"""Writes Pow of mixed or whole numbers as one of floating point."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from tvm_patdnn.importing.onnx_graph import OnnxGraph

__all__ = ["pow_of_one_type"]

_FLOATS = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16})


def pow_of_one_type(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: Pow(x, y) of two types. After: Pow of x's type; of double for whole numbers."""
    if node.op_type != "Pow":
        return None
    base, exponent = (graph.element_type(name) for name in node.input)
    if base == 0 or exponent == 0 or (base == exponent and base in _FLOATS):
        return None
    if base in _FLOATS and exponent not in _FLOATS:
        computed = base
    else:
        computed = base if base == TensorProto.DOUBLE else TensorProto.DOUBLE
    nodes, operands = [], []
    for name, element_type in zip(node.input, (base, exponent), strict=True):
        operands.append(name)
        if element_type != computed:
            operands[-1] = graph.fresh(f"{node.output[0]}_operand")
            nodes.append(helper.make_node("Cast", [name], [operands[-1]], to=computed))
    if computed == base:
        return [*nodes, helper.make_node("Pow", operands, node.output, name=node.name)]
    power = graph.fresh(f"{node.output[0]}_power")
    nodes.append(helper.make_node("Pow", operands, [power]))
    return [*nodes, helper.make_node("Cast", [power], node.output, name=node.name, to=base)]
