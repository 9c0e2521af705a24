"""Writes every padding of a convolution or pooling as its own ``pads``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes
from tvm_patdnn.importing.onnx_nodes import describe_node

__all__ = ["explicit_pads", "fold_pad"]

_WINDOWED = frozenset({"AveragePool", "Conv", "MaxPool"})
_PADS_ARE_INPUT = 11  # of Pad, from this operator set on


def explicit_pads(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: auto_pad of a Conv or pooling. After: the pads it stands for.

    A stride beyond the kernel may leave the first values out: those are cut off.

    Raises:
        ModelError: a pooling leaves them out, which nobody defines.
    """
    given = attributes(node)
    mode = given.pop("auto_pad", b"NOTSET").decode()
    if node.op_type not in _WINDOWED or mode == "NOTSET":
        return None
    data, kernel = graph.shape(node.input[0]), _kernel_shape(graph, node, given)
    if kernel is None:
        return None
    pads = [0] * (2 * len(kernel))
    if mode != "VALID":
        if data is None:
            return None
        dilated = node.op_type == "Conv"  # of a pooling, ONNX Runtime does not count the gaps
        gaps = given.get("dilations", []) if dilated else []
        gaps = gaps or [1] * len(kernel)
        reach = [(taps - 1) * gap + 1 for taps, gap in zip(kernel, gaps, strict=True)]
        strides = given.get("strides", [1] * len(kernel))
        pads = _same_pads(data[2:], reach, strides, lower=mode == "SAME_LOWER")
    padded = _with_attributes(node, {**given, "pads": [max(0, pad) for pad in pads]})
    if min(pads) >= 0:
        return [padded]
    if node.op_type != "Conv":
        raise ModelError(
            f"{describe_node(node)}: auto_pad {mode} with strides {strides} would "
            "leave out the first values; give explicit pads"
        )
    cut = _cut_off(graph, node.input[0], [max(0, -pad) for pad in pads[: len(kernel)]])
    padded.input[0] = cut.output[0]
    return [cut, padded]


def _cut_off(graph: OnnxGraph, data: str, first: Sequence[int]) -> onnx.NodeProto:
    """Returns a Slice without the first values along each axis behind the channels."""
    axes = np.arange(2, 2 + len(first))
    bounds = (np.array(first), np.full(len(first), np.iinfo(np.int32).max), axes)
    names = [graph.add_constant(numbers, f"{data}_cut") for numbers in bounds]
    return helper.make_node("Slice", [data, *names], [graph.fresh(f"{data}_cut")])


def fold_pad(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: Conv(Pad(x, zeros)). After: Conv(x) with the pads of both."""
    if node.op_type != "Conv":
        return None
    pad = graph.producers.get(node.input[0])
    given = attributes(node)
    if pad is None or graph.uses[node.input[0]] != 1 or "auto_pad" in given:
        return None
    added = _zeros_around_plane(graph, pad)
    if added is None:
        return None
    pads = [a + b for a, b in zip(given.get("pads", [0] * len(added)), added, strict=True)]
    folded = _with_attributes(node, {**given, "pads": pads})
    folded.input[0] = pad.input[0]
    return [folded]


def _kernel_shape(
    graph: OnnxGraph, node: onnx.NodeProto, given: dict[str, Any]
) -> Sequence[int] | None:
    if "kernel_shape" in given:
        return given["kernel_shape"]
    weight = graph.shape(node.input[1])
    return weight[2:] if weight else None


def _same_pads(
    extents: Sequence[int], kernel: Sequence[int], strides: Sequence[int], lower: bool
) -> list[int]:
    """Returns the pads; negative where a stride beyond the kernel leaves values out at first."""
    totals = [
        (-(-extent // stride) - 1) * stride + taps - extent
        for extent, taps, stride in zip(extents, kernel, strides, strict=True)
    ]
    # Rounded to zero; of negative ones, ONNX Runtime takes one less.
    before = [int((total + lower + (total < 0)) / 2) for total in totals]
    after = [max(0, total - first) for total, first in zip(totals, before, strict=True)]
    return before + after


def _zeros_around_plane(graph: OnnxGraph, pad: onnx.NodeProto) -> list[int] | None:
    """Returns the zeros that a Pad adds before and after each axis behind the channels."""
    if pad.op_type != "Pad" or len(pad.input) > 3:
        return None
    given = attributes(pad)
    if given.get("mode", b"constant") != b"constant":
        return None
    pads, value = given.get("pads"), given.get("value", 0.0)
    if graph.opset >= _PADS_ARE_INPUT:
        pads = graph.constant(pad.input[1])
        value = graph.constant(pad.input[2]) if len(pad.input) > 2 and pad.input[2] else 0.0
    if pads is None or value is None or np.any(value) or min(pads) < 0:
        return None
    axes = len(pads) // 2
    if any(pads[axis] for axis in (0, 1, axes, axes + 1)):
        return None
    return [int(p) for p in (*pads[2:axes], *pads[axes + 2 :])]


def _with_attributes(node: onnx.NodeProto, given: dict[str, Any]) -> onnx.NodeProto:
    return helper.make_node(
        node.op_type, list(node.input), list(node.output), name=node.name, **given
    )
