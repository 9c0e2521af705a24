"""Recognises models that compute in float16, which our kernels do not, and says what to do."""

from __future__ import annotations

import onnx
from onnx import TensorProto

from tvm_patdnn.importing.onnx_nodes import all_nodes

__all__ = ["EXPORT_FLOAT32", "computes_in_half"]

EXPORT_FLOAT32 = (
    "export the model as float32, such as without .half() in PyTorch, which our kernels compute"
)

_HALF = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


def computes_in_half(model: onnx.ModelProto) -> bool:
    """Tells whether an input, a weight or a cast of the model is of 16-bit floating point."""
    graph = model.graph
    return (
        any(value.type.tensor_type.elem_type in _HALF for value in graph.input)
        or any(tensor.data_type in _HALF for tensor in graph.initializer)
        or any(
            (node.op_type == "Cast" and attribute.name == "to" and attribute.i in _HALF)
            or attribute.t.data_type in _HALF
            for node in all_nodes(graph)
            for attribute in node.attribute
        )
    )
