"""Recognises the operators of quantised models."""

from __future__ import annotations

import onnx

__all__ = ["is_dynamically_quantised", "is_quantised"]

_DYNAMIC_OPS = frozenset(
    {"ConvInteger", "DynamicQuantizeLinear", "DynamicQuantizeMatMul"}
    | {"MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeLSTM"}
)
_STATIC_OPS = frozenset({"DequantizeLinear", "QGemm", "QuantizeLinear"})


def is_quantised(node: onnx.NodeProto) -> bool:
    """Whether the node computes on, makes or reads quantised numbers."""
    static = node.op_type in _STATIC_OPS or node.op_type.startswith("QLinear")
    return static or is_dynamically_quantised(node)


def is_dynamically_quantised(node: onnx.NodeProto) -> bool:
    """Whether the node works with scales that are known only when the network runs."""
    return node.op_type in _DYNAMIC_OPS
