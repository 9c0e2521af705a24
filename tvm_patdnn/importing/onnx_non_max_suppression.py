"""Gives NonMaxSuppression all the numbers that TVM's importer has other defaults for."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes
from tvm_patdnn.importing.onnx_nodes import describe_node

__all__ = ["explicit_thresholds"]

_BELOW_SCORES = 1e-30  # what scores of 0 become; any others are larger, or none at all
_SMALLEST = np.finfo(np.float32).tiny  # kernels take smaller numbers for 0
_MARK = "/as TVM means it"  # of names that this rewrite gives
_LIMITS = ("max_output_boxes_per_class", "iou_threshold", "score_threshold")


def explicit_thresholds(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: ONNX's defaults, and boxes beyond the threshold go. After: as TVM means it.

    TVM also lets boxes go whose overlap is the threshold, so the next larger number is given.

    Raises:
        ModelError: a limit is computed while the model runs.
    """
    named = list(node.input[2:])
    if node.op_type != "NonMaxSuppression" or (named and all(_MARK in name for name in named)):
        return None
    limits = [_limit(graph, node, index) for index in (2, 3, 4)]
    count = 0 if limits[0] is None else max(0, int(limits[0]))
    overlap = np.float32(0 if limits[1] is None else limits[1])
    score = np.float32(-np.inf if limits[2] is None else limits[2])
    if score <= 0:
        score = np.float32(_BELOW_SCORES) / (1 - score)
        score = np.nextafter(score, np.float32(0)) if limits[2] is None else score
    result = node.output[0]
    if count == 0:
        none = graph.add_constant(np.zeros((0, 3), np.int64), f"{result}_none")
        return [helper.make_node("Identity", [none], [result], name=node.name)]
    values = (
        np.array([count]),
        np.maximum(np.nextafter(overlap, np.float32(2)), _SMALLEST)[None],
        score[None],
    )
    names = [graph.add_constant(value, f"{result}{_MARK}") for value in values]
    nodes: list[onnx.NodeProto] = []
    boxes = node.input[0]
    if not attributes(node).get("center_point_box", 0):
        nodes, boxes = _in_order(graph, boxes)
    above_zero, scores = _above_zero(graph, node.input[1])
    nodes += above_zero
    inputs = [boxes, scores, *names]
    given = attributes(node)
    return [*nodes, helper.make_node(node.op_type, inputs, [result], name=node.name, **given)]


def _in_order(graph: OnnxGraph, boxes: str) -> tuple[list[onnx.NodeProto], str]:
    """Lets the smaller coordinates come first: ONNX allows any two opposite corners."""
    corners = [graph.fresh(f"{boxes}_corner") for _ in range(2)]
    lowest, highest, ordered = (graph.fresh(f"{boxes}_{n}") for n in ("low", "high", "ordered"))
    nodes = [
        helper.make_node(
            "Gather", [boxes, graph.add_constant(np.array(at), f"{boxes}_at")], [corner], axis=2
        )
        for at, corner in zip(([0, 1], [2, 3]), corners, strict=True)
    ]
    nodes.append(helper.make_node("Min", corners, [lowest]))
    nodes.append(helper.make_node("Max", corners, [highest]))
    nodes.append(helper.make_node("Concat", [lowest, highest], [ordered], axis=2))
    return nodes, ordered


def _above_zero(graph: OnnxGraph, scores: str) -> tuple[list[onnx.NodeProto], str]:
    """Lets all scores be above 0, in the same order: TVM takes others for boxes that are gone."""
    names = ("positive", "capped", "distance", "small", "above")
    positive, capped, distance, small, above = (graph.fresh(f"{scores}_{n}") for n in names)
    zero, one, scale = (
        graph.add_constant(np.array(number, np.float32), f"{scores}_number")
        for number in (0, 1, _BELOW_SCORES)
    )
    nodes = [
        helper.make_node("Greater", [scores, zero], [positive]),
        helper.make_node("Min", [scores, zero], [capped]),
        helper.make_node("Sub", [one, capped], [distance]),
        helper.make_node("Div", [scale, distance], [small]),
        helper.make_node("Where", [positive, scores, small], [above]),
    ]
    return nodes, above


def _limit(graph: OnnxGraph, node: onnx.NodeProto, index: int) -> float | None:
    if index >= len(node.input) or not node.input[index]:
        return None
    value = graph.constant(node.input[index])
    if value is None:
        raise ModelError(
            f"{describe_node(node)}: its {_LIMITS[index - 2]} is computed "
            "while the model runs; give it as a number"
        )
    return float(value.reshape(-1)[0]) if value.size else None
