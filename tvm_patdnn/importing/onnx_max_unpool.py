"""Writes a MaxUnpool with the size it would have anyhow without that size."""

from __future__ import annotations

import onnx
from onnx import helper

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes
from tvm_patdnn.importing.onnx_nodes import describe_node

__all__ = ["unpool_to_own_size"]


def unpool_to_own_size(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: MaxUnpool(x, i, output_shape). After: MaxUnpool(x, i), of the same shape.

    Raises:
        ModelError: it is of another shape, in which ONNX and ONNX Runtime do not mean the same
            places by the same indices; or that shape is not a constant.
    """
    if node.op_type != "MaxUnpool" or len(node.input) < 3 or not node.input[2]:
        return None
    asked, own = graph.constant(node.input[2]), _own_shape(graph, node)
    if asked is None or own is None or tuple(asked.tolist()) != own:
        given = "a shape that is not a constant" if asked is None else f"shape {asked.tolist()}"
        raise ModelError(
            f"{describe_node(node)}: {given} is asked for, expected "
            f"{list(own) if own else 'a known shape'}, that of its window and strides; of others "
            "ONNX and its runtimes disagree on where values go: leave output_shape out, and pad"
        )
    new = helper.make_node("MaxUnpool", list(node.input[:2]), list(node.output), name=node.name)
    new.attribute.extend(node.attribute)
    return [new]


def _own_shape(graph: OnnxGraph, node: onnx.NodeProto) -> tuple[int, ...] | None:
    shape = graph.shape(node.input[0])
    if shape is None:
        return None
    given, axes = attributes(node), len(shape) - 2
    pads = given.get("pads", [0] * (2 * axes))
    sizes = [
        (size - 1) * stride + taps - before - after
        for size, stride, taps, before, after in zip(
            shape[2:],
            given.get("strides", [1] * axes),
            given["kernel_shape"],
            pads[:axes],
            pads[axes:],
            strict=True,
        )
    ]
    return (*shape[:2], *sizes)
