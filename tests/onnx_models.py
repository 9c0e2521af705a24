"""Small ONNX models for tests, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["conv_model", "conv_weight", "model_of"]


def model_of(
    nodes: Sequence[onnx.NodeProto],
    *,
    inputs: dict[str, Sequence[int | str | None] | None],
    outputs: Sequence[str] = ("y",),
    weights: dict[str, np.ndarray] | None = None,
) -> onnx.ModelProto:
    """Makes a float32 model; a shape of None means an input whose rank is not known."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in inputs.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def conv_weight(seed: int = 0) -> np.ndarray:
    """The weight of ``conv_model``: (4, 3, 3, 3) float32."""
    return np.random.default_rng(seed).standard_normal((4, 3, 3, 3)).astype(np.float32)


def conv_model(shape: Sequence[int | str | None] | None = (1, 3, 8, 8)) -> onnx.ModelProto:
    """One convolution 3 -> 4 and a ReLU."""
    nodes = [
        helper.make_node("Conv", ["x", "features.0.weight"], ["c"], name="conv_node"),
        helper.make_node("Relu", ["c"], ["y"], name="relu_node"),
    ]
    return model_of(nodes, inputs={"x": shape}, weights={"features.0.weight": conv_weight()})
