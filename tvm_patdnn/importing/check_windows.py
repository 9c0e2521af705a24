"""Checks the windows of convolutions and poolings: kernel, strides, dilations and padding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import onnx

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_graph import attributes
from tvm_patdnn.importing.onnx_inference import Types, infer_types, static_shape
from tvm_patdnn.importing.onnx_nodes import describe_node
from tvm_patdnn.importing.onnx_sizes import MOST_ELEMENTS

__all__ = ["check_windows"]

_WEIGHTED = frozenset({"Conv", "ConvTranspose"})
_WINDOWED = _WEIGHTED | {"AveragePool", "LpPool", "MaxPool"}
_LEAST = {"kernel_shape": 1, "strides": 1, "dilations": 1, "pads": 0}
_CORRECT = "correct it and export the model again"


def check_windows(model: onnx.ModelProto) -> None:
    """Checks what no reader of ONNX files accepts, and what would take much memory.

    Raises:
        ModelError: a number is too small, the kernel is not that of the weight, or the padded
            input would be too large; the node is named.
    """
    types = infer_types(model)
    for node in model.graph.node:
        if node.op_type in _WINDOWED and node.domain in ("", "ai.onnx"):
            _check_window(node, attributes(node), types)


def _check_window(node: onnx.NodeProto, given: Mapping[str, Any], types: Types) -> None:
    where = describe_node(node)
    for name, least in _LEAST.items():
        if any(number < least for number in given.get(name, [])):
            raise ModelError(
                f"{where}: {name} is {list(given[name])}, expected numbers of at least {least}; "
                f"{_CORRECT}"
            )
    data = static_shape(types, node.input[0])
    weight = static_shape(types, node.input[1]) if node.op_type in _WEIGHTED else None
    if weight is not None:
        _check_kernel(where, given, weight)
    if data is not None:
        _check_padded(where, data, given)
    if data is not None and weight is not None and node.op_type == "Conv":
        _check_fits(where, data, weight, given)


def _check_kernel(where: str, given: Mapping[str, Any], weight: Sequence[int]) -> None:
    kernel = list(given.get("kernel_shape", weight[2:]))
    if kernel != list(weight[2:]) or 0 in weight:
        raise ModelError(
            f"{where}: the kernel is {kernel}, but the weight has shape {list(weight)}; {_CORRECT}"
        )


def _check_padded(where: str, data: Sequence[int], given: Mapping[str, Any]) -> None:
    axes = len(data) - 2
    for name, count in (("kernel_shape", axes), ("strides", axes), ("pads", 2 * axes)):
        if len(given.get(name, [0] * count)) != count:
            raise ModelError(
                f"{where}: {name} is {list(given[name])}, expected {count} numbers, as the input "
                f"has shape {list(data)}; {_CORRECT}"
            )
    padded = _padded(data, given)
    if math.prod(data[:2]) * math.prod(padded) > MOST_ELEMENTS:
        raise ModelError(
            f"{where}: its padded input would have shape {[*data[:2], *padded]}, expected at most "
            f"{MOST_ELEMENTS:,} numbers; {_CORRECT}"
        )


def _check_fits(
    where: str, data: Sequence[int], weight: Sequence[int], given: Mapping[str, Any]
) -> None:
    if given.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        return
    gaps = given.get("dilations", [1] * len(weight[2:]))
    covered = [gap * (taps - 1) + 1 for gap, taps in zip(gaps, weight[2:])]
    padded = _padded(data, given)
    if any(reach > size for reach, size in zip(covered, padded)):
        raise ModelError(
            f"{where}: its kernel covers {covered}, more than its padded input, {padded}: it "
            "would compute nothing; choose larger inputs, or correct the model"
        )


def _padded(data: Sequence[int], given: Mapping[str, Any]) -> list[int]:
    axes = len(data) - 2
    pads = given.get("pads", [0] * 2 * axes)
    return [size + pads[axis] + pads[axis + axes] for axis, size in enumerate(data[2:])]
