"""Writes OneHot as a comparison with the numbers of the classes."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes
from tvm_patdnn.importing.onnx_nodes import describe_node

__all__ = ["compare_one_hot"]


def compare_one_hot(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: OneHot(x, depth, (off, on)). After: Where(x = 0 .. depth - 1, on, off).

    TVM's own has results of double for values of float.

    Raises:
        ModelError: the depth, or the shape of the indices, is not known.
    """
    if node.op_type != "OneHot":
        return None
    depth, shape = graph.constant(node.input[1]), graph.shape(node.input[0])
    if depth is None or shape is None:
        raise ModelError(
            f"{describe_node(node)}: its depth is computed while the model runs, but "
            "kernels are made for fixed sizes; export the model with a fixed depth"
        )
    size, rank = int(depth.reshape(-1)[0]), len(shape) + 1
    axis = attributes(node).get("axis", -1) % rank
    classes = np.arange(size).reshape([size if i == axis else 1 for i in range(rank)])
    values, result = node.input[2], node.output[0]
    new = {name: graph.fresh(f"{result}_{name}") for name in ("index", "column", "hit", "low")}
    new |= {name: graph.fresh(f"{result}_{name}") for name in ("off", "on", "wrapped", "first")}
    constant = {
        "shape": np.array([*shape[:axis], 1, *shape[axis:]]),
        "classes": classes,
        "negative": classes - size,
        "zero": np.array(0),
        "one": np.array(1),
    }
    known = {name: graph.add_constant(v, f"{result}_{name}") for name, v in constant.items()}
    return [
        helper.make_node("Cast", [node.input[0]], [new["index"]], to=TensorProto.INT64),
        helper.make_node("Reshape", [new["index"], known["shape"]], [new["column"]]),
        helper.make_node("Equal", [new["column"], known["classes"]], [new["first"]]),
        helper.make_node("Equal", [new["column"], known["negative"]], [new["wrapped"]]),
        helper.make_node("Or", [new["first"], new["wrapped"]], [new["hit"]]),
        helper.make_node("Gather", [values, known["zero"]], [new["off"]]),
        helper.make_node("Gather", [values, known["one"]], [new["on"]]),
        helper.make_node("Where", [new["hit"], new["on"], new["off"]], [result], name=node.name),
    ]
