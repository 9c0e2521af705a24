"""Lists the distinct dense convolutions of networks, those with most of the work first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import onnx
import tvm
from onnx import TensorProto, helper, numpy_helper

from relay_passes.pipeline import canonical_passes
from relay_passes.recognition.analyze_convolutions import ConvLayer, read_conv_layer
from relay_passes.rewrite_fully_connected import is_matrix_product
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import ConvShape
from tvm_patdnn.importing.importer import import_onnx

__all__ = ["DenseTask", "conv_shapes", "dense_tasks", "layer_model"]


@dataclass(frozen=True, kw_only=True)
class DenseTask:
    """A convolution to tune.

    Attributes:
        share: of the multiply-adds of the networks, summed over them.
        models: the names of the networks that have it.
    """

    shape: ConvShape
    share: float
    models: tuple[str, ...]


def dense_tasks(models: Iterable[Path]) -> list[DenseTask]:
    """Reads networks.

    Raises:
        ModelError: a model cannot be read or imported.
    """
    shares: dict[ConvShape, float] = {}
    names: dict[ConvShape, list[str]] = {}
    for path in models:
        layers = _layers(path)
        total = sum(layer.dense_macs for layer in layers)
        for layer in layers:
            shape = ConvShape.of(layer)
            shares[shape] = shares.get(shape, 0.0) + layer.dense_macs / total
            names[shape] = list(dict.fromkeys([*names.get(shape, []), path.stem]))
    order = sorted(shares, key=lambda shape: -shares[shape])
    return [DenseTask(shape=s, share=shares[s], models=tuple(names[s])) for s in order]


def conv_shapes(path: Path) -> list[ConvShape]:
    """Returns the shapes of all convolutions of a network, in order."""
    return [ConvShape.of(layer) for layer in _layers(path)]


def layer_model(shape: ConvShape) -> onnx.ModelProto:
    """Returns the convolution with a bias and a ReLU, as ``ConvShape.module`` has them."""
    weight, bias = shape.weights()
    top, left, bottom, right = shape.padding
    conv = helper.make_node(
        "Conv",
        ["x", "weight", "bias"],
        ["c"],
        strides=shape.stride,
        dilations=shape.dilation,
        pads=[top, left, bottom, right],
        group=shape.groups,
    )
    graph = helper.make_graph(
        [conv, helper.make_node("Relu", ["c"], ["y"])],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape.in_shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model)


def _layers(path: Path) -> list[ConvLayer]:
    mod = tvm.transform.Sequential(canonical_passes())(import_onnx(path).module)
    found = []
    for block in mod["main"].body.blocks:
        for binding in block.bindings:
            layer = read_conv_layer(binding.var, binding.value, {})
            if layer is not None and not is_matrix_product(binding.value):
                found.append(layer)
    return found
