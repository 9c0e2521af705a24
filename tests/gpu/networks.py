"""A small network of the operators that GPUs run besides our kernels."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from tests.onnx_models import model_of

__all__ = ["many_operators"]


def many_operators() -> onnx.ModelProto:
    """Two inputs; pooling, a residual, concatenation, a resize, a mean, a product, a softmax."""
    random = np.random.default_rng(0)
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w1"], ["a"], name="c1", pads=[3] * 4, strides=[2, 2]),
        node("Relu", ["a"], ["b"]),
        node("MaxPool", ["b"], ["c"], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4),
        node("Conv", ["c", "w2", "bias"], ["d"], name="c2", pads=[1] * 4, group=8),
        node("Sigmoid", ["d"], ["s"]),
        node("Mul", ["d", "s"], ["e"]),
        node("Conv", ["e", "w3"], ["f"], name="c3"),
        node("Add", ["f", "c"], ["g"]),
        node("Concat", ["g", "extra"], ["h"], axis=1),
        node("GlobalAveragePool", ["h"], ["m"]),
        node("Flatten", ["m"], ["n"]),
        node("Gemm", ["n", "w4", "b4"], ["o"], transB=1),
        node("Softmax", ["o"], ["y"]),
    ]
    weights = {
        "w1": random.standard_normal((8, 3, 7, 7), np.float32),
        "w2": random.standard_normal((8, 1, 3, 3), np.float32),
        "bias": random.standard_normal(8, np.float32),
        "w3": random.standard_normal((8, 8, 1, 1), np.float32),
        "w4": random.standard_normal((5, 10), np.float32),
        "b4": random.standard_normal(5, np.float32),
    }
    shapes = {"x": (2, 3, 30, 26), "extra": (2, 2, 8, 7)}
    return model_of(nodes, inputs=shapes, outputs=("y", "g"), weights=weights)
