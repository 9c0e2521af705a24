"""Lets a later pass call a layer by the name it has in the ONNX file.

Relax constants have no names. What survives the import is the weight itself, so a layer
is found again by a hash of its weight.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx

from tvm_patdnn.importing.onnx_constants import array_of, constant_tensors
from tvm_patdnn.importing.onnx_graph import attributes
from tvm_patdnn.sparse.weight_key import weight_key

__all__ = ["layer_name", "weight_names"]

_LAYER_OPS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_FOLDED_OPS = frozenset({"Add", "BatchNormalization", "Identity", "Mul"})  # into a layer


def weight_names(model: onnx.ModelProto, original: onnx.ModelProto | None = None) -> dict[str, str]:
    """Maps the ``weight_key`` of each layer's weight to the layer's name.

    A matrix is listed transposed too, as an importer may store it either way. Of layers
    with equal weights the first gives the name.

    Args:
        model: the model whose weights are imported, usually a simplified one.
        original: the model before it was simplified. Simplifying folds batch norm into
            convolutions and renames them; the old names are looked up here, by the value
            that a layer computes.
    """
    source, sources = _producers(original or model), _producers(model)
    stored = constant_tensors(model.graph)
    names: dict[str, str] = {}
    for node in model.graph.node:
        for weight in _weights(node, stored, sources):
            name = layer_name(_before_folding(node, source))
            for key in _keys(weight):
                names.setdefault(key, name)
    return names


def layer_name(node: onnx.NodeProto) -> str:
    """What we call the layer: PyTorch's module path, else the node's name, else the weight's."""
    # What onnxruntime makes of a name: quantised, and with batch norm folded in.
    weight = node.input[1].removesuffix("_DequantizeLinear_Output").removeprefix("ConvBnFusion_W_")
    if weight.endswith(".weight"):
        return weight.removesuffix(".weight")
    return node.name or weight


def _producers(model: onnx.ModelProto) -> dict[str, onnx.NodeProto]:
    return {value: node for node in model.graph.node for value in node.output}


def _weights(
    node: onnx.NodeProto,
    stored: dict[str, onnx.TensorProto],
    sources: dict[str, onnx.NodeProto],
) -> Iterator[np.ndarray]:
    if node.op_type not in _LAYER_OPS:
        return
    operands = node.input[:2] if node.op_type == "MatMul" else node.input[1:2]
    yield from (array_of(stored[name]) for name in operands if name in stored)
    for name in operands:
        yield from _dequantised(sources.get(name), stored)


def _dequantised(
    node: onnx.NodeProto | None, stored: dict[str, onnx.TensorProto]
) -> Iterator[np.ndarray]:
    """Yields a constant that is stored as integers: these, and the numbers they stand for."""
    if node is None or node.op_type != "DequantizeLinear":
        return
    tensors = [stored.get(name) for name in node.input]
    if any(tensor is None for tensor in tensors):
        return
    integers, scale, *zero = (array_of(tensor) for tensor in tensors if tensor is not None)
    shape = [1] * integers.ndim
    if scale.size > 1:
        shape[attributes(node).get("axis", 1)] = scale.size
    scale = scale.astype(np.float32).reshape(shape)
    centred = integers.astype(np.int32)
    if zero:
        centred = centred - zero[0].astype(np.int32).reshape(shape if zero[0].size > 1 else -1)
    yield centred
    yield centred.astype(np.float32) * scale


def _keys(weight: np.ndarray) -> Iterator[str]:
    yield weight_key(weight)
    if weight.ndim == 2:
        yield weight_key(weight.T)


def _before_folding(node: onnx.NodeProto, source: dict[str, onnx.NodeProto]) -> onnx.NodeProto:
    """Finds the layer that computed ``node``'s output before other nodes were folded in."""
    found = source.get(node.output[0])
    while found is not None and found.op_type in _FOLDED_OPS:
        found = next((source[name] for name in found.input if name in source), None)
    return found if found is not None and found.op_type in _LAYER_OPS else node
