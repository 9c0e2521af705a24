"""A network that computes in float16."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.onnx_models import model_of

__all__ = ["half_model"]


def half_model(activation: str) -> onnx.ModelProto:
    """x (1, 3, 8, 8) float32 -> cast -> conv in float16 -> activation -> cast -> y."""
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], name="to_half", to=TensorProto.FLOAT16),
        helper.make_node("Conv", ["h", "weight"], ["a"], name="conv", pads=[1] * 4),
        helper.make_node(activation, ["a"], ["b"], name="activation"),
        helper.make_node("Cast", ["b"], ["y"], name="to_float", to=TensorProto.FLOAT),
    ]
    weight = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype("float16")
    return model_of(nodes, inputs={"x": (1, 3, 8, 8)}, weights={"weight": weight})
