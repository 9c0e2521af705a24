"""Declines tensors of impossible sizes before anything is allocated for them."""

from __future__ import annotations

import math

import onnx

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_inference import infer_types, static_shape
from tvm_patdnn.importing.onnx_nodes import describe_node

__all__ = ["MOST_ELEMENTS", "check_sizes"]

MOST_ELEMENTS = 2**31 - 1  # kernels count them in 32 bits


def check_sizes(model: onnx.ModelProto) -> None:
    """Checks the inputs and what each node computes, as far as shapes can be inferred.

    Raises:
        ModelError: a size is negative, or a tensor too large; the input or node is named.
    """
    types = infer_types(model)
    for value in model.graph.input:
        _check(f"input '{value.name}': has", static_shape(types, value.name))
    for node in model.graph.node:
        for name in node.output:
            where = f"{describe_node(node)}: its result would have"
            _check(where, static_shape(types, name))


def _check(where: str, shape: tuple[int, ...] | None) -> None:
    if shape is None:
        return
    if any(size < 0 for size in shape):
        raise ModelError(
            f"{where} shape {list(shape)}, expected no negative size; the node, or the input "
            "size it was given, is wrong: correct it and export the model again"
        )
    count = math.prod(shape)
    if count > MOST_ELEMENTS:
        raise ModelError(
            f"{where} shape {list(shape)}, {count:,} numbers, expected at most "
            f"{MOST_ELEMENTS:,}; choose smaller inputs, or correct the model"
        )
