"""Writes Dropout as what it is when a model runs: nothing."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_graph import OnnxGraph
from tvm_patdnn.importing.onnx_nodes import describe_node

__all__ = ["drop_nothing"]

_MASK_IS_BOOL = 10  # from this operator set on; before it, it has the type of the data
_MASK_KEEPS = 12  # from this one on, True is what is kept; before it, ONNX Runtime says False


def drop_nothing(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: Dropout(x). After: x, and a mask that keeps all of it.

    Raises:
        ModelError: it is in training mode.
    """
    if node.op_type != "Dropout":
        return None
    mode = node.input[2] if len(node.input) > 2 else ""
    if mode and _is_on(graph.constant(mode)) and not _is_off(graph, node):
        raise ModelError(
            f"{describe_node(node)}: is in training mode, in which results are random; "
            "export the model in eval mode"
        )
    nodes = [helper.make_node("Identity", [node.input[0]], [node.output[0]], name=node.name)]
    shape = graph.shape(node.input[0])
    if len(node.output) > 1 and node.output[1] and shape is not None:
        dtype = helper.tensor_dtype_to_np_dtype(graph.element_type(node.input[0]))
        kept = np.array(graph.opset >= _MASK_KEEPS)
        kept = kept if graph.opset >= _MASK_IS_BOOL else kept.astype(dtype)
        names = [
            graph.add_constant(kept, f"{node.output[1]}_kept"),
            graph.add_constant(np.array(shape, np.int64), f"{node.output[1]}_shape"),
        ]
        nodes.append(helper.make_node("Expand", names, [node.output[1]]))
    return nodes


def _is_on(mode: np.ndarray | None) -> bool:
    return mode is None or bool(mode)


def _is_off(graph: OnnxGraph, node: onnx.NodeProto) -> bool:
    """Whether nothing would be dropped in training mode either."""
    ratio = graph.constant(node.input[1]) if node.input[1] else None
    return ratio is not None and not ratio.any()
