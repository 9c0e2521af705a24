"""A small network for each kernel of the table, to time it beside what others have for that.

A network enters and leaves the lanes, so a kernel that only occurs between others stands
behind a 1x1 convolution. The weights are of the same kinds as those of the kernels' samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from te_schedules.cpu.sample_weights import (
    connectivity_weight,
    dense_weight,
    depthwise_weight,
    pattern_weight,
    pruned_matrix,
)
from tvm_patdnn.bench.series import Series
from tvm_patdnn.bench.subject import Subject

__all__ = ["KERNEL_LAYERS", "LayerSize", "kernel_subjects"]


@dataclass(frozen=True, kw_only=True)
class LayerSize:
    """How large the networks are: those in the middle of a ResNet, unless told.

    Attributes:
        channels: of each tensor.
        side: height and width of the input.
    """

    channels: int = 128
    side: int = 28


@dataclass(frozen=True)
class _Op:
    """An ONNX operator; its inputs are the result of the one before, and ``constants``."""

    name: str
    constants: Sequence[np.ndarray] = ()
    attributes: Mapping[str, Any] | None = None


def kernel_subjects() -> Sequence[Subject]:
    """Makes a subject of each kernel of the table that is not a rung of the ladder."""
    return Series([partial(_subject, name) for name in KERNEL_LAYERS])


def _subject(name: str) -> Subject:
    return Subject(model="kernels", layer=name, pruned=KERNEL_LAYERS[name](LayerSize()))


def _conv(weight: np.ndarray, groups: int = 1, stride: int = 1) -> list[_Op]:
    """Returns a padded convolution with bias and ReLU."""
    bias = np.linspace(-1, 1, len(weight), dtype=np.float32)
    pads = [weight.shape[2] // 2] * 4
    attributes = {"pads": pads, "group": groups, "strides": [stride] * 2}
    return [_Op("Conv", (weight, bias), attributes), _Op("Relu")]


def _pattern(size: LayerSize) -> onnx.ModelProto:
    return _chain(size, _conv(pattern_weight(size.channels, size.channels)))


def _connectivity(size: LayerSize) -> onnx.ModelProto:
    return _chain(size, _conv(connectivity_weight(size.channels, size.channels)))


def _dense(size: LayerSize) -> onnx.ModelProto:
    return _chain(size, _conv(dense_weight(size.channels, size.channels, 3), stride=2))


def _winograd(size: LayerSize) -> onnx.ModelProto:
    return _chain(size, _conv(dense_weight(size.channels, size.channels, 3)))


def _packed(size: LayerSize) -> onnx.ModelProto:
    """Returns a network that widens and narrows, as those do that have such convolutions."""
    wide = 4 * size.channels
    narrow = _conv(dense_weight(size.channels, wide, 1))
    return _chain(size, [*_conv(dense_weight(wide, size.channels, 1)), *narrow])


def _depthwise(size: LayerSize) -> onnx.ModelProto:
    return _chain(size, _conv(depthwise_weight(size.channels), size.channels))


def _relayout(size: LayerSize) -> onnx.ModelProto:
    """Returns a network whose convolution is next to nothing beside the relayouts around it."""
    weight = dense_weight(size.channels, 1, 1)
    return _chain(size, _conv(weight, size.channels))


def _mixed(size: LayerSize) -> list[_Op]:
    return _conv(dense_weight(size.channels, size.channels, 1))


def _conv_and_depthwise(size: LayerSize) -> onnx.ModelProto:
    depthwise = _conv(depthwise_weight(size.channels), size.channels)
    return _chain(size, [*_mixed(size), *depthwise])


def _behind_a_conv(op: str, size: LayerSize, **attributes: Any) -> onnx.ModelProto:
    return _chain(size, [*_mixed(size), _Op(op, attributes=attributes)])


def _elementwise(size: LayerSize) -> onnx.ModelProto:
    """Returns the network that concatenates a convolution's result with itself."""
    return _chain(size, [*_mixed(size), _Op("Concat", attributes={"axis": 1, "twice": True})])


def _fully_connected(size: LayerSize, matrix: Callable[[int, int], np.ndarray]) -> onnx.ModelProto:
    inputs, outputs = 16 * size.channels, 8 * size.channels
    bias = np.linspace(-1, 1, outputs, dtype=np.float32)
    return _chain(size, [_Op("Gemm", (matrix(inputs, outputs), bias)), _Op("Relu")], (1, inputs))


def _full_matrix(inputs: int, outputs: int) -> np.ndarray:
    return dense_weight(inputs, outputs, 1).reshape(inputs, outputs)


def _chain(
    size: LayerSize, ops: Sequence[_Op], in_shape: tuple[int, ...] | None = None
) -> onnx.ModelProto:
    """Makes the model: x, float32, through all ``ops``."""
    shape = in_shape or (1, size.channels, size.side, size.side)
    nodes, stored, value = [], [], "x"
    for i, op in enumerate(ops):
        attributes = dict(op.attributes or {})
        inputs = [value] * (2 if attributes.pop("twice", False) else 1)
        for j, array in enumerate(op.constants):
            stored.append(numpy_helper.from_array(array, f"c{i}_{j}"))
        names = [f"c{i}_{j}" for j in range(len(op.constants))]
        value = "y" if i == len(ops) - 1 else f"v{i}"
        nodes.append(helper.make_node(op.name, [*inputs, *names], [value], **attributes))
    graph = helper.make_graph(
        nodes,
        "kernel",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        stored,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model)


_WINDOW: Mapping[str, Any] = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4}

KERNEL_LAYERS: Mapping[str, Callable[[LayerSize], onnx.ModelProto]] = {
    "pattern conv2d": _pattern,
    "connectivity conv2d": _connectivity,
    "dense conv2d": _dense,
    "winograd conv2d": _winograd,
    "packed conv2d": _packed,
    "depthwise conv2d": _depthwise,
    "conv2d and depthwise conv2d": _conv_and_depthwise,
    "max pool2d": partial(_behind_a_conv, "MaxPool", **_WINDOW),
    "average pool2d": partial(_behind_a_conv, "AveragePool", **_WINDOW),
    "global average pool": partial(_behind_a_conv, "GlobalAveragePool"),
    "elementwise": _elementwise,
    "relayout": _relayout,
    "fully connected": partial(_fully_connected, matrix=_full_matrix),
    "sparse fully connected": partial(_fully_connected, matrix=pruned_matrix),
}
