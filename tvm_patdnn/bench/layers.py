"""Cuts a model down to its distinct convolutions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tvm_patdnn.bench.subject import Subject
from tvm_patdnn.errors import BenchError
from tvm_patdnn.importing.weight_names import layer_name

__all__ = ["layer_subjects"]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Convolution:
    """A convolution with constant weights; ``key`` is equal for those of the same work."""

    name: str
    in_shape: tuple[int, ...]
    weight: np.ndarray
    bias: np.ndarray | None
    node: onnx.NodeProto

    @property
    def key(self) -> tuple[Any, ...]:
        attributes = sorted((each.name, str(each)) for each in self.node.attribute)
        return (self.in_shape, self.weight.shape, self.bias is None, *attributes)


def layer_subjects(
    model: str, pruned: onnx.ModelProto, dense: onnx.ModelProto | None = None
) -> list[Subject]:
    """Makes a subject of each distinct convolution; of equal ones, the first stands for all.

    Args:
        model: its name.
        pruned: with fixed input shapes.
        dense: the same network before pruning.

    Raises:
        BenchError: there is no convolution, or the two networks differ in more than weights.
    """
    found = list(_convolutions(pruned))
    if not found:
        raise BenchError(f"{model}: has no convolution with constant weights to cut out")
    twins = list(_convolutions(dense)) if dense is not None else found
    if [each.key for each in twins] != [each.key for each in found]:
        raise BenchError(
            f"{model}: its convolutions are not those of the dense model; give the model that "
            "was pruned"
        )
    counts: dict[tuple[Any, ...], int] = {}
    for each in found:
        counts[each.key] = counts.get(each.key, 0) + 1
    firsts = {each.key: i for i, each in reversed(list(enumerate(found)))}
    return [
        Subject(
            model=model,
            layer=_describe(found[i], counts[key]),
            pruned=_as_model(found[i]),
            dense=_as_model(twins[i]) if dense is not None else None,
        )
        for key, i in sorted(firsts.items(), key=lambda item: item[1])
    ]


def _convolutions(model: onnx.ModelProto) -> Iterator[_Convolution]:
    graph = onnx.shape_inference.infer_shapes(model).graph
    stored = _stored(graph)
    shapes = {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.value_info)
    }
    for node in graph.node:
        if node.op_type != "Conv" or node.input[1] not in stored:
            continue
        shape = shapes.get(node.input[0], ())
        if not shape or min(shape) < 1:
            continue
        bias = stored.get(node.input[2]) if len(node.input) > 2 else None
        yield _Convolution(
            name=layer_name(node),
            in_shape=shape,
            weight=stored[node.input[1]],
            bias=bias,
            node=node,
        )


def _stored(graph: onnx.GraphProto) -> Mapping[str, np.ndarray]:
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        values = [each.t for each in node.attribute if each.name == "value"]
        if node.op_type == "Constant" and values:
            tensors[node.output[0]] = values[0]
    return {name: numpy_helper.to_array(tensor) for name, tensor in tensors.items()}


def _describe(layer: _Convolution, count: int) -> str:
    out_c, in_c, *kernel = layer.weight.shape
    size = "x".join(map(str, kernel))
    side = "x".join(map(str, layer.in_shape[2:]))
    strides = [each.ints[0] for each in layer.node.attribute if each.name == "strides"]
    stride = f"/{strides[0]}" if strides and strides[0] > 1 else ""
    times = f", {count} times" if count > 1 else ""
    channels = in_c * (layer.in_shape[1] // in_c)
    return f"{layer.name} ({size}{stride}, {channels}->{out_c}@{side}{times})"


def _as_model(layer: _Convolution) -> onnx.ModelProto:
    arrays = {"w": layer.weight} | ({"b": layer.bias} if layer.bias is not None else {})
    node = onnx.NodeProto()
    node.CopyFrom(layer.node)
    del node.input[:], node.output[:]
    node.input.extend(["x", *arrays])
    node.output.append("y")
    graph = helper.make_graph(
        [node],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, layer.in_shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model)
