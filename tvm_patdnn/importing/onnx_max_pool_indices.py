"""Writes a MaxPool that also says where its maxima are as comparisons of shifted planes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes
from tvm_patdnn.importing.onnx_nodes import describe_node

__all__ = ["compare_for_indices"]


def compare_for_indices(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Before: y, i = MaxPool(x). After: for each tap of the window, y and i where it is larger.

    Requires explicit pads. A tap is a strided Slice of x, padded with the lowest number; where
    it is in x is known when the model is read.

    Raises:
        ModelError: the shape of the input is not known.
    """
    if node.op_type != "MaxPool" or len(node.output) < 2 or not node.output[1]:
        return None
    shape, out = graph.shape(node.input[0]), graph.shape(node.output[0])
    if shape is None or out is None:
        raise ModelError(
            f"{describe_node(node)}: the shape of its input is not known; give the model "
            "fixed sizes"
        )
    return _Comparison(graph, node, shape, out).nodes()


class _Comparison:
    """Emits the nodes."""

    def __init__(
        self, graph: OnnxGraph, node: onnx.NodeProto, shape: Sequence[int], out: Sequence[int]
    ) -> None:
        given, axes = attributes(node), len(shape) - 2
        self._graph, self._node, self._shape, self._out = graph, node, shape, out
        self._kernel = given["kernel_shape"]
        self._strides = given.get("strides", [1] * axes)
        self._gaps = given.get("dilations", [1] * axes)
        self._before = given.get("pads", [0] * (2 * axes))[:axes]
        self._column_major = bool(given.get("storage_order", 0))
        self._emitted: list[onnx.NodeProto] = []

    def nodes(self) -> list[onnx.NodeProto]:
        data = self._padded()
        taps = list(itertools.product(*(range(size) for size in self._kernel)))
        value, index = self._tap(data, taps[0]), self._constant(self._places(taps[0]))
        for tap in taps[1:]:
            other = self._tap(data, tap)
            larger = self._emit("Greater", other, value)
            value = self._emit("Where", larger, other, value)
            index = self._emit("Where", larger, self._constant(self._places(tap)), index)
        names = zip((value, index), self._node.output, strict=True)
        return [*self._emitted, *(helper.make_node("Identity", [a], [b]) for a, b in names)]

    def _padded(self) -> str:
        """Pads x so far that every window is inside."""
        after = [
            max(0, (out - 1) * stride + (taps - 1) * gap + 1 - before - size)
            for out, stride, taps, gap, before, size in zip(
                self._out[2:],
                self._strides,
                self._kernel,
                self._gaps,
                self._before,
                self._shape[2:],
                strict=True,
            )
        ]
        if not any([*self._before, *after]):
            return self._node.input[0]
        pads = np.array([0, 0, *self._before, 0, 0, *after])
        dtype = helper.tensor_dtype_to_np_dtype(self._graph.element_type(self._node.input[0]))
        lowest = -np.inf if dtype.kind == "f" else np.iinfo(dtype).min
        low = self._constant(np.array(lowest, dtype))
        return self._emit("Pad", self._node.input[0], self._constant(pads), low)

    def _tap(self, data: str, tap: Sequence[int]) -> str:
        first = [at * gap for at, gap in zip(tap, self._gaps, strict=True)]
        last = [
            start + (out - 1) * stride + 1
            for start, out, stride in zip(first, self._out[2:], self._strides, strict=True)
        ]
        bounds = (first, last, range(2, len(self._shape)), self._strides)
        return self._emit("Slice", data, *(self._constant(np.array(list(b))) for b in bounds))

    def _places(self, tap: Sequence[int]) -> np.ndarray:
        """Returns where in x the values of a tap are: (n, c, *out[2:])."""
        n, c, *plane = self._shape
        order = range(len(plane))[::-1] if self._column_major else range(len(plane))
        places = np.arange(n * c).reshape(n, c, *[1] * len(plane)) * int(np.prod(plane))
        for axis, at in enumerate(tap):
            lesser = [plane[i] for i in order if list(order).index(i) > list(order).index(axis)]
            positions = np.arange(self._out[2 + axis]) * self._strides[axis]
            positions = positions + at * self._gaps[axis] - self._before[axis]
            shaped = positions.reshape([-1 if i == axis else 1 for i in range(len(plane))])
            places = places + shaped * int(np.prod(lesser, initial=1))
        return places

    def _constant(self, value: np.ndarray) -> str:
        return self._graph.add_constant(value, f"{self._node.output[0]}_windows")

    def _emit(self, op_type: str, *inputs: str) -> str:
        name = self._graph.fresh(f"{self._node.output[0]}_tap")
        self._emitted.append(helper.make_node(op_type, list(inputs), [name]))
        return name
