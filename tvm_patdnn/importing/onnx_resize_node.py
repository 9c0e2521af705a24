"""Reads what a Resize or Upsample of any operator set asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes
from tvm_patdnn.importing.onnx_nodes import describe_node
from tvm_patdnn.importing.resize_coordinates import TRANSFORMATIONS, ResizedAxis
from tvm_patdnn.importing.resize_taps import NEAREST, Interpolation

__all__ = ["ResizeNode", "read_resize"]

_MODERN = 11  # the operator set from which on a Resize has its attributes and sizes
_NEARLY_WHOLE = 1e-3
_MODES = frozenset({"nearest", "linear", "cubic"})


@dataclass(frozen=True, kw_only=True)
class ResizeNode:
    """What is resized, and how.

    Attributes:
        shape: of the input.
        axes: those that are resized, by their number.
        fill: the value of what lies outside, for tf_crop_and_resize.
    """

    shape: tuple[int, ...]
    axes: Mapping[int, ResizedAxis]
    how: Interpolation
    fill: float


def read_resize(graph: OnnxGraph, node: onnx.NodeProto) -> ResizeNode:
    """Reads a node.

    Raises:
        ModelError: a size is not known when the model is read, or a mode does not exist.
    """
    given, shape = attributes(node), graph.shape(node.input[0])
    if shape is None:
        raise _declined(node, "the shape of its input is not known; give the model fixed sizes")
    old = node.op_type == "Upsample" or (graph.opset < _MODERN and len(node.input) == 2)
    how = _oldest(given) if old else _interpolation(given)
    known = how.mode in _MODES and how.transformation in TRANSFORMATIONS and how.nearest in NEAREST
    if not known:
        raise _declined(node, f"there is no {how}; export the model again")
    numbers = list(given.get("axes", range(len(shape))))
    numbers = [axis % len(shape) for axis in numbers]
    before = [shape[axis] for axis in numbers]
    scales, sizes = _scales(graph, node, given, old), None if old else _input(graph, node, 3)
    if sizes is not None:
        policy = given.get("keep_aspect_ratio_policy", b"stretch").decode()
        scales, sizes = _for_sizes(before, sizes, policy)
    if scales is None or len(scales) != len(before) or min(scales) <= 0:
        raise _declined(node, "expected one positive scale or size for each axis")
    if sizes is None:
        if how.transformation == "align_corners" and how.mode != "nearest":
            _require_whole(node, before, scales)
        sizes = [int(np.float32(s) * np.float32(n)) for s, n in zip(scales, before, strict=True)]
    if min(sizes) < 1:
        raise _declined(node, f"its output would have the sizes {list(sizes)}")
    regions = _regions(graph, node, how, len(before))
    axes = {
        number: ResizedAxis(before=n, after=int(size), scale=float(scale), region=region)
        for number, n, size, scale, region in zip(
            numbers, before, sizes, scales, regions, strict=True
        )
    }
    return ResizeNode(
        shape=shape, axes=axes, how=how, fill=float(given.get("extrapolation_value", 0.0))
    )


def _require_whole(node: onnx.NodeProto, before: Sequence[int], scales: Sequence[float]) -> None:
    """Declines what ONNX, by the exact size, and its runtime, by the rounded one, differ in."""
    for size, scale in zip(before, scales, strict=True):
        exact = float(np.float32(size) * np.float32(scale))
        if abs(exact - round(exact)) > _NEARLY_WHOLE:
            raise _declined(
                node,
                f"align_corners with a scale of {scale:g} for {size} values, for which ONNX and "
                "ONNX Runtime give different numbers; export the model with sizes",
            )


def _oldest(given: Mapping[str, Any]) -> Interpolation:
    mode = given.get("mode", b"nearest").decode().replace("bilinear", "linear")
    return Interpolation(mode=mode, transformation="asymmetric", nearest="oldest")


def _interpolation(given: Mapping[str, Any]) -> Interpolation:
    default = Interpolation()

    def name(key: str, otherwise: str) -> str:
        return given.get(key, otherwise.encode()).decode()

    return Interpolation(
        mode=name("mode", default.mode),
        transformation=name("coordinate_transformation_mode", default.transformation),
        nearest=name("nearest_mode", default.nearest),
        cubic_coeff=float(given.get("cubic_coeff_a", default.cubic_coeff)),
        exclude_outside=bool(given.get("exclude_outside", 0)),
        antialias=bool(given.get("antialias", 0)),
    )


def _scales(
    graph: OnnxGraph, node: onnx.NodeProto, given: Mapping[str, Any], old: bool
) -> Sequence[float] | None:
    if "scales" in given:
        return given["scales"]
    return _input(graph, node, 1 if old else 2)


def _for_sizes(
    before: Sequence[int], sizes: Sequence[int], policy: str
) -> tuple[list[float], list[int]]:
    """Returns the scales that sizes stand for, and the sizes, which a policy may change."""
    scales = [np.float32(s) / np.float32(n) for s, n in zip(sizes, before, strict=False)]
    if policy == "stretch":
        return [float(scale) for scale in scales], list(sizes)
    scale = min(scales) if policy == "not_larger" else max(scales)
    return [float(scale)] * len(scales), [int(np.floor(scale * n + 0.5)) for n in before]


def _regions(
    graph: OnnxGraph, node: onnx.NodeProto, how: Interpolation, count: int
) -> list[tuple[float, float]]:
    whole = [(0.0, 1.0)] * count
    if how.transformation != "tf_crop_and_resize":
        return whole
    region = _input(graph, node, 1)
    if region is None:
        return whole
    if len(region) != 2 * count:
        raise _declined(node, f"its roi has {len(region)} numbers; expected {2 * count}")
    return [(float(a), float(b)) for a, b in zip(region[:count], region[count:], strict=True)]


def _input(graph: OnnxGraph, node: onnx.NodeProto, index: int) -> list[Any] | None:
    """Returns the value of an optional input; None if it is absent or empty."""
    if index >= len(node.input) or not node.input[index]:
        return None
    value = graph.constant(node.input[index])
    if value is None:
        raise _declined(
            node,
            f"'{node.input[index]}' is computed while the model runs, but kernels are made for "
            "fixed sizes; export the model with fixed sizes",
        )
    return value.reshape(-1).tolist() or None


def _declined(node: onnx.NodeProto, reason: str) -> ModelError:
    return ModelError(f"{describe_node(node)}: {reason}")
