"""Writes the oldest Slice, which has its bounds as attributes, as a later one."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes

__all__ = ["slice_inputs"]


def slice_inputs(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: Slice(x) with attributes. After: Slice(x, starts, ends, axes).

    TVM's importer reads the later form in every operator set.
    """
    if node.op_type != "Slice" or len(node.input) > 1:
        return None
    given = attributes(node)
    starts = given["starts"]
    bounds = (starts, given["ends"], given.get("axes", range(len(starts))))
    names = [
        graph.add_constant(np.array(numbers, np.int64), f"{node.output[0]}_slice")
        for numbers in bounds
    ]
    return [helper.make_node("Slice", [node.input[0], *names], node.output, name=node.name)]
