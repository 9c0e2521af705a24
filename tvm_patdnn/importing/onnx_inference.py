"""Infers the types and shapes of all values of an ONNX graph.

Weights take no part in it: a copy of the model without them is made, which costs neither
their memory nor the time to pass them on.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable

import onnx
from onnx import TensorProto, helper

__all__ = ["Types", "element_type", "infer_types", "static_shape", "without_weights"]

_LOG = logging.getLogger(__name__)

Types = dict[str, onnx.TypeProto.Tensor]

_SMALL = 4096  # elements; shapes, axes and scales are far smaller, weights rarely are


def infer_types(model: onnx.ModelProto) -> Types:
    """Returns what is known of each value of the main graph, by name; constants included.

    What the model declares of its outputs is not trusted. Where a node contradicts itself
    nothing is known of what it computes.
    """
    light = without_weights(model)
    try:
        light = onnx.shape_inference.infer_shapes(light, data_prop=True)
    except Exception as error:  # it has its own for each kind of contradiction
        _LOG.debug("shapes are not known: %s", error)
    graph = light.graph
    values = [*graph.input, *graph.value_info, *graph.output]
    types = {value.name: value.type.tensor_type for value in values}
    types.update((tensor.name, _type_of(tensor)) for tensor in graph.initializer)
    return types


def static_shape(types: Types, name: str) -> tuple[int, ...] | None:
    """Returns the shape of a value; None if it is not fixed or not known."""
    known = types.get(name)
    if known is None or not known.HasField("shape"):
        return None
    if not all(dim.HasField("dim_value") for dim in known.shape.dim):
        return None
    return tuple(dim.dim_value for dim in known.shape.dim)


def element_type(types: Types, name: str) -> int:
    """Returns ONNX's number of a value's element type; 0 if it is not known."""
    return types[name].elem_type if name in types else TensorProto.UNDEFINED


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy in which large constants are inputs, and outputs have no shape."""
    light = onnx.ModelProto()
    light.ir_version = model.ir_version
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    source, graph = model.graph, light.graph
    graph.name = source.name or "graph"
    large = [tensor for tensor in source.initializer if math.prod(tensor.dims) > _SMALL]
    stored = {tensor.name for tensor in large}
    kept = [value for value in source.input if value.name not in stored]
    graph.input.extend([*kept, *_as_inputs(large)])
    graph.initializer.extend(t for t in source.initializer if t.name not in stored)
    graph.value_info.extend(source.value_info)
    graph.node.extend(source.node)
    graph.output.extend(_without_shape(value) for value in source.output)
    return light


def _as_inputs(tensors: Iterable[TensorProto]) -> Iterable[onnx.ValueInfoProto]:
    for tensor in tensors:
        yield helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)


def _without_shape(value: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    new = onnx.ValueInfoProto()
    new.CopyFrom(value)
    if new.type.HasField("tensor_type"):
        new.type.tensor_type.ClearField("shape")
    return new


def _type_of(tensor: TensorProto) -> onnx.TypeProto.Tensor:
    typed = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
    return typed.tensor_type
