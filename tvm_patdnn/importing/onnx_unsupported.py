"""Declines what TVM's importer would read as something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import onnx
from onnx import TensorProto

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes
from tvm_patdnn.importing.onnx_nodes import describe_node

__all__ = ["decline_misread"]

_MODE_IS_ATTRIBUTE = 14  # of BatchNormalization, from this operator set on


def decline_misread(graph: OnnxGraph, node: onnx.NodeProto) -> None:
    """Leaves every node as it is.

    Raises:
        ModelError: TVM would compute something else.
    """
    reason = _element_types(graph, node)
    if node.op_type in _REASONS:
        reason = reason or _REASONS[node.op_type](graph, node)
    if reason:
        raise ModelError(f"{describe_node(node)}: {reason}")


def _element_types(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    found = {graph.element_type(name) for name in [*node.input, *node.output]} - {0}
    strange = [TensorProto.DataType.Name(number) for number in sorted(found - _ELEMENTS)]
    if not strange:
        return None
    return f"has elements of {' and '.join(strange)}; expected numbers of 8 to 64 bits, or bool"


def _batch_normalization(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    trains = bool(attributes(node).get("training_mode", 0))
    if graph.opset < _MODE_IS_ATTRIBUTE:
        trains = any(node.output[1:])
    return "is in training mode; export the model in eval mode" if trains else None


def _bit_shift(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    amount = graph.constant(node.input[1])
    if amount is None:
        return None
    bits = 8 * amount.dtype.itemsize
    if amount.size and (amount.min() < 0 or amount.max() >= bits):
        return f"shifts by {amount.min()} to {amount.max()} bits; expected 0 to {bits - 1}"
    return None


def _constant_of_shape(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    return _run_time_shape(graph, node.input[0])


def _expand(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    return _run_time_shape(graph, node.input[1])


def _run_time_shape(graph: OnnxGraph, shape: str) -> str | None:
    if graph.constant(shape) is not None:
        return None
    return (
        f"the shape '{shape}' is computed while the model runs, but kernels are made for "
        "fixed sizes; export the model with fixed sizes"
    )


def _mod(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    whole = graph.element_type(node.input[0]) not in _FLOATS
    if whole or attributes(node).get("fmod", 0):
        return None
    return "has fmod=0 with floating point numbers, whose rounding TVM does not follow; use fmod=1"


def _rms_normalization(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    shape = graph.shape(node.input[0])
    axis = attributes(node).get("axis", -1)
    everything = shape is None or axis % max(len(shape), 1) == 0
    return "normalises over all axes, which TVM does not build" if everything else None


def _roi_align(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    mode = attributes(node).get("mode", b"avg").decode()
    return None if mode == "avg" else f"has the mode '{mode}'; only 'avg' is supported"


def _space_to_depth(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    mode = attributes(node).get("mode", b"DCR").decode()
    return None if mode == "DCR" else f"has the mode '{mode}'; only 'DCR' is supported"


_FLOATS = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16})
_SIGNED = frozenset({TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64})
_UNSIGNED = frozenset(
    {TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64}
)
_ELEMENTS = _FLOATS | _SIGNED | _UNSIGNED | {TensorProto.BOOL}


def _reduction(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    return "reduces bool" if graph.element_type(node.input[0]) == TensorProto.BOOL else None


def _top_k(graph: OnnxGraph, node: onnx.NodeProto) -> str | None:
    if graph.element_type(node.input[0]) == TensorProto.UINT64:
        return "sorts UINT64, which TVM does not"
    return None


_REASONS: Mapping[str, Callable[[OnnxGraph, onnx.NodeProto], str | None]] = {
    "BatchNormalization": _batch_normalization,
    "BitShift": _bit_shift,
    "ConstantOfShape": _constant_of_shape,
    "Expand": _expand,
    "Mod": _mod,
    "ReduceMax": _reduction,
    "ReduceMin": _reduction,
    "RMSNormalization": _rms_normalization,
    "RoiAlign": _roi_align,
    "SpaceToDepth": _space_to_depth,
    "TopK": _top_k,
}
