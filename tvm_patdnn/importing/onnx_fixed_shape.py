"""Writes the shape of a value, which is known when the model is read, as a constant."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes

__all__ = ["fold_shape"]


def fold_shape(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: Shape(x) or Size(x). After: a constant, which can be an output of the model."""
    if node.op_type not in ("Shape", "Size"):
        return None
    shape = graph.shape(node.input[0])
    if shape is None:
        return None
    given = attributes(node)
    value = np.array(shape[given.get("start", 0) : given.get("end", len(shape))], np.int64)
    if node.op_type == "Size":
        value = np.array(np.prod(shape, dtype=np.int64))
    name = graph.add_constant(value, f"{node.output[0]}_value")
    return [helper.make_node("Identity", [name], node.output, name=node.name)]
