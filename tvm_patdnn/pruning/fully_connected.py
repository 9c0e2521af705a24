"""Connectivity pruning of fully connected layers, in groups of outputs.

Such a layer is bound by reading its matrix, so it gains what need not be read. A group of
16 outputs loses an input together: one vector of the widest processors, several of others.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from tvm_patdnn.importing.onnx_constants import array_of, constant_tensors
from tvm_patdnn.importing.weight_names import layer_name
from tvm_patdnn.pruning.connectivity import connectivity_mask
from tvm_patdnn.pruning.report import PrunedLayer, describe_layer

__all__ = ["GROUP", "matrix_mask", "prune_fully_connected"]

GROUP = 16


def matrix_mask(matrix: np.ndarray, rate: float) -> np.ndarray:
    """Marks the strongest ``1/rate`` of the (group of outputs, input) pairs of a matrix.

    Args:
        matrix: (inputs, outputs), any real dtype; the last group may be smaller.
        rate: pairs before over pairs after, at least 1.

    Returns:
        (inputs, outputs) bool.
    """
    inputs, outputs = matrix.shape
    padded = np.pad(matrix, ((0, 0), (0, -outputs % GROUP)))
    groups = padded.reshape(inputs, -1, GROUP).transpose(1, 0, 2)[..., None]
    mask = connectivity_mask(groups, rate)
    return np.repeat(mask.T, GROUP, axis=1)[:, :outputs]


def prune_fully_connected(graph: GraphProto, rate: float) -> list[PrunedLayer]:
    """Prunes the matrices of Gemm and MatMul nodes in ``graph`` itself.

    Returns:
        A row for each matrix that is a constant, and used only so.
    """
    rows = []
    for node, tensor in _matrices(graph):
        matrix = array_of(tensor)
        transposed = _is_transposed(node)
        mask = matrix_mask(matrix.T if transposed else matrix, rate)
        pruned = np.where(mask.T if transposed else mask, matrix, np.zeros_like(matrix))
        tensor.CopyFrom(numpy_helper.from_array(pruned, tensor.name))
        rows.append(describe_layer(layer_name(node), pruned, None))
    return rows


def _matrices(graph: GraphProto) -> Iterator[tuple[NodeProto, TensorProto]]:
    stored = constant_tensors(graph)
    uses = [name for node in graph.node for name in node.input]
    for node in graph.node:
        if node.op_type not in ("Gemm", "MatMul") or node.input[1] not in stored:
            continue
        tensor = stored[node.input[1]]
        is_float = tensor.data_type in (TensorProto.FLOAT, TensorProto.DOUBLE)
        if is_float and len(tensor.dims) == 2 and uses.count(tensor.name) == 1:
            yield node, tensor


def _is_transposed(node: NodeProto) -> bool:
    """Whether the matrix is stored as (outputs, inputs)."""
    return any(
        attribute.name == "transB" and helper.get_attribute_value(attribute)
        for attribute in node.attribute
    )
