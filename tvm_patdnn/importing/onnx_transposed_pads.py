"""Writes what a ConvTranspose is to be padded with as explicit pads."""

from __future__ import annotations

import onnx
from onnx import helper

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes
from tvm_patdnn.importing.onnx_nodes import describe_node

__all__ = ["explicit_transposed_pads"]


def explicit_transposed_pads(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: ConvTranspose with output_shape or auto_pad. After: with pads.

    Raises:
        ModelError: the output asked for is larger than what the kernel reaches and a stride more.
    """
    given = attributes(node)
    mode = given.get("auto_pad", b"NOTSET").decode()
    asked = given.get("output_shape")
    if node.op_type != "ConvTranspose" or (mode == "NOTSET" and asked is None):
        return None
    data, weight = graph.shape(node.input[0]), graph.shape(node.input[1])
    if data is None or weight is None:
        return None
    axes = len(weight) - 2
    strides = given.get("strides", [1] * axes)
    extra = list(given.get("output_padding", [0] * axes))
    gaps = given.get("dilations", [1] * axes)
    if asked is None and mode != "VALID":
        asked = [size * stride for size, stride in zip(data[2:], strides, strict=True)]
    pads = [0] * (2 * axes)
    asked = list(asked or [])
    for axis in range(axes if asked else 0):
        reach = (weight[2 + axis] - 1) * gaps[axis] + 1
        total = strides[axis] * (data[2 + axis] - 1) + extra[axis] + reach - asked[-axes:][axis]
        smaller = max(total, 0) // 2
        larger = max(total, 0) - smaller
        pads[axis] = smaller if mode == "SAME_UPPER" else larger
        pads[axes + axis] = larger if mode == "SAME_UPPER" else smaller
        extra[axis] += max(-total, 0)
        if extra[axis] >= max(strides[axis], gaps[axis]):
            raise ModelError(
                f"{describe_node(node)}: output_shape {asked} is larger than "
                "what its input, kernel and strides make; export the model again"
            )
    kept = {k: v for k, v in given.items() if k not in ("auto_pad", "output_shape")}
    new = {**kept, "pads": pads, "output_padding": extra}
    return [helper.make_node(node.op_type, node.input, node.output, name=node.name, **new)]
