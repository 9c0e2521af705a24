"""Writes Resize and Upsample of all operator sets as sums of gathered planes.

Along one axis each output is a weighted sum of a few inputs, and which ones is known when
the model is read: a Gather for each of them. What enlarges the last two axes by a whole
number stays a Resize, for which there is a kernel in lanes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from tvm_patdnn.importing.onnx_graph import OnnxGraph
from tvm_patdnn.importing.onnx_resize_node import ResizeNode, read_resize
from tvm_patdnn.importing.resize_taps import Taps, taps

__all__ = ["gather_resize"]

_FEW_TAPS = 4  # for more, a product with a matrix is less code
_FLOATS = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE})


def gather_resize(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: Resize or Upsample. After: Gather, Mul and Add along each axis that changes.

    Raises:
        ModelError: a size is not known when the model is read, or a mode does not exist.
    """
    if node.op_type not in ("Resize", "Upsample"):
        return None
    resize = read_resize(graph, node)
    changed = any(each.before != each.after for each in resize.axes.values())
    along = {axis: taps(each, resize.how) for axis, each in resize.axes.items() if changed}
    along = {axis: each for axis, each in along.items() if not _is_identity(each, resize, axis)}
    repeat = _repetition(along, resize)
    if repeat:
        return [_repetition_node(graph, node, repeat)]
    emitter = _Emitter(graph, node)
    if resize.how.mode == "nearest":
        for axis, each in along.items():
            emitter.gather(axis, each.indices[:, 0])
    else:
        emitter.interpolate(along, len(resize.shape))
    emitter.fill(along, resize)
    return emitter.finish()


def _is_identity(each: Taps, resize: ResizeNode, axis: int) -> bool:
    positions = np.arange(resize.shape[axis])
    alone = np.count_nonzero(each.weights, axis=1).max() == 1
    at = each.indices[np.arange(len(each.indices)), each.weights.argmax(axis=1)]
    return bool(alone and np.array_equal(at, positions) and not each.outside.any())


def _repetition(along: Mapping[int, Taps], resize: ResizeNode) -> int | None:
    """Returns how often each pixel of a plane is repeated; None if it is anything else."""
    if resize.how.mode != "nearest" or len(resize.shape) != 4 or set(along) != {2, 3}:
        return None
    repeats = set()
    for axis, each in along.items():
        repeat, rest = divmod(len(each.indices), resize.shape[axis])
        copies = np.repeat(np.arange(resize.shape[axis]), max(repeat, 1))
        if rest or each.outside.any() or not np.array_equal(each.indices[:, 0], copies):
            return None
        repeats.add(repeat)
    return repeats.pop() if len(repeats) == 1 else None


def _repetition_node(graph: OnnxGraph, node: onnx.NodeProto, repeat: int) -> onnx.NodeProto:
    """Returns the form in which TVM's importer reads it right, in every operator set."""
    scales = graph.add_constant(np.array([1, 1, repeat, repeat], np.float32), "scales")
    return helper.make_node(
        "Resize",
        [node.input[0], "", scales],
        [node.output[0]],
        name=node.name,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


class _Emitter:
    """Emits nodes, each on the result of the one before."""

    def __init__(self, graph: OnnxGraph, node: onnx.NodeProto) -> None:
        self._graph, self._node = graph, node
        self._nodes: list[onnx.NodeProto] = []
        self._value, self._result = node.input[0], node.output[0]
        self._type = graph.element_type(node.input[0])

    def gather(self, axis: int, indices: np.ndarray) -> None:
        self._emit("Gather", self._value, self._constant(indices), axis=axis)

    def interpolate(self, along: Mapping[int, Taps], rank: int) -> None:
        """Sums in float32, or double; another type is that of the result alone."""
        if self._type not in _FLOATS:
            self._emit("Cast", self._value, to=TensorProto.FLOAT)
        for axis, each in along.items():
            if each.indices.shape[1] <= _FEW_TAPS:
                self._sum(axis, each, rank)
            else:
                self._multiply(axis, each, rank)
        if self._type not in _FLOATS:
            self._emit("Cast", self._value, to=self._type)

    def fill(self, along: Mapping[int, Taps], resize: ResizeNode) -> None:
        """Gives all that lies outside of the input the same value."""
        mask = np.zeros([1] * len(resize.shape), bool)
        for axis, each in along.items():
            mask = mask | each.outside.reshape(_along(axis, len(resize.shape)))
        if mask.any():
            value = np.array(resize.fill, helper.tensor_dtype_to_np_dtype(self._type))
            self._emit("Where", self._constant(mask), self._constant(value), self._value)

    def finish(self) -> list[onnx.NodeProto]:
        """Returns the nodes; the last one has the old node's name and result."""
        if not self._nodes:
            self._emit("Identity", self._value)
        self._nodes[-1].name, self._nodes[-1].output[0] = self._node.name, self._result
        return self._nodes

    def _sum(self, axis: int, each: Taps, rank: int) -> None:
        source, total = self._value, ""
        for tap in range(each.indices.shape[1]):
            if not each.weights[:, tap].any():
                continue
            self._value = source
            self.gather(axis, each.indices[:, tap])
            weights = each.weights[:, tap].reshape(_along(axis, rank))
            self._emit("Mul", self._value, self._constant(weights.astype(self._float)))
            total = self._emit("Add", total, self._value) if total else self._value

    def _multiply(self, axis: int, each: Taps, rank: int) -> None:
        before = self._graph.shape(self._node.input[0])[axis]  # type: ignore[index]
        matrix = np.zeros((before, len(each.indices)), self._float)
        outputs = np.arange(len(each.indices))[:, None]
        np.add.at(matrix, (each.indices, outputs), each.weights)
        order = [other for other in range(rank) if other != axis] + [axis]
        self._emit("Transpose", self._value, perm=order)
        self._emit("MatMul", self._value, self._constant(matrix))
        self._emit("Transpose", self._value, perm=np.argsort(order).tolist())

    @property
    def _float(self) -> type:
        return np.float64 if self._type == TensorProto.DOUBLE else np.float32

    def _constant(self, value: np.ndarray) -> str:
        return self._graph.add_constant(value, f"{self._result}_resize")

    def _emit(self, op_type: str, *inputs: str, **given: Any) -> str:
        self._value = self._graph.fresh(f"{self._result}_resized")
        self._nodes.append(helper.make_node(op_type, list(inputs), [self._value], **given))
        return self._value


def _along(axis: int, rank: int) -> list[int]:
    return [-1 if other == axis else 1 for other in range(rank)]
