"""Recognises the operators of quantised models."""

from __future__ import annotations

import onnx

__all__ = ["is_quantised"]

_QUANTISED_OPS = frozenset(
    {"ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger"}
    | {"QuantizeLinear", "QGemm", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"}
)


def is_quantised(node: onnx.NodeProto) -> bool:
    """Whether the node computes on, makes or reads quantised numbers."""
    return node.op_type in _QUANTISED_OPS or node.op_type.startswith("QLinear")
