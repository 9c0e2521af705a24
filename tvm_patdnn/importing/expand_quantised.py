"""Writes operators on integers as operators on the numbers they stand for.

Before:  QLinearConv(x, scale, zero, weight, scale, zero, scale, zero, bias)
After:   QuantizeLinear(Conv(DequantizeLinear(x), DequantizeLinear(weight), ...))

The same is said in both forms; passes recognise the second. What computes on integers without
saying how they become numbers (MaxPool, Flatten and the like) stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import onnx
from onnx import helper

from tvm_patdnn.importing.onnx_graph import OnnxGraph, attributes

__all__ = ["expand_quantised"]

Names = Sequence[str]


class _Writer:
    """Collects the nodes that stand for one."""

    def __init__(self, graph: OnnxGraph, node: onnx.NodeProto) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self._graph, self._node, self._inputs = graph, node, list(node.input)

    def named(self, position: int) -> str:
        """Returns the name of an input; "" if it is left out."""
        return self._inputs[position] if position < len(self._inputs) else ""

    def number(self, first: int, axis: int | None = None) -> str:
        """Dequantises the input at ``first``, whose scale and zero point are behind it."""
        data, scale, zero = (self.named(first + i) for i in range(3))
        return self.dequantized(data, scale, zero, axis)

    def dequantized(self, data: str, scale: str, zero: str, axis: int | None = None) -> str:
        """Dequantises a tensor; ``axis`` is that of its scales, if there are several."""
        one_for_all = axis is None or self.is_scalar(scale)
        options: dict[str, int] = {} if axis is None or one_for_all else {"axis": axis}
        return self._emit("DequantizeLinear", [data, *map(self._scalar, (scale, zero))], **options)

    def product(self, one: str, other: str) -> str:
        """Multiplies two scales."""
        return self._emit("Mul", [self._scalar(one), self._scalar(other)])

    def compute(self, op_type: str, inputs: Names, *hidden: str) -> str:
        """Applies the operator on numbers, with all attributes but ``hidden``."""
        made = self._emit(op_type, inputs)
        kept = [each for each in self._node.attribute if each.name not in hidden]
        self.nodes[-1].attribute.extend(kept)
        self.nodes[-1].name = self._node.name
        return made

    def quantize(self, data: str, first: int) -> None:
        """Quantises the result by the scale at ``first`` and the zero point behind it.

        Without a scale the result stays numbers.
        """
        scale, zero = (self._scalar(self.named(first + i)) for i in range(2))
        inputs = [name for name in (data, scale, zero) if name]
        op_type = "QuantizeLinear" if scale else "Identity"
        self.nodes.append(helper.make_node(op_type, inputs, list(self._node.output)))

    @property
    def inputs(self) -> int:
        """How many inputs the node has."""
        return len(self._inputs)

    def attribute(self, name: str, default: float = 0) -> float:
        """Returns a number among the attributes of the node."""
        return attributes(self._node).get(name, default)

    def is_scalar(self, name: str) -> bool:
        """Whether a scale is one for all."""
        shape = self._graph.shape(name)
        return shape is not None and all(size == 1 for size in shape)

    def is_half(self, name: str) -> bool:
        """Whether a tensor is of float16."""
        return self._graph.element_type(name) == onnx.TensorProto.FLOAT16

    def rank(self, name: str) -> int:
        """Returns how many dimensions a tensor has."""
        return len(self._graph.shape(name) or ())

    def _scalar(self, name: str) -> str:
        """Returns a scale or zero point, as a scalar where it is a constant of one value."""
        value = self._graph.constant(name) if name else None
        if value is None or value.size != 1 or value.ndim == 0:
            return name
        return self._graph.add_constant(value.reshape(()), f"{name}_scalar")

    def _emit(self, op_type: str, inputs: Names, **options: int) -> str:
        result = self._graph.fresh(f"{self._node.output[0]}_{op_type.lower()}")
        while inputs and not inputs[-1]:
            inputs = inputs[:-1]
        made = helper.make_node(op_type, list(inputs), [result])
        made.attribute.extend(helper.make_attribute(name, value) for name, value in options.items())
        self.nodes.append(made)
        return result


def expand_quantised(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy in which no operator of the main graph is one of those expanded here.

    Where there is none, it is the model itself.
    """
    if not any(node.op_type in _EXPANDED for node in model.graph.node):
        return model
    new = onnx.ModelProto()
    new.CopyFrom(model)
    graph = OnnxGraph(new)
    nodes = [made for node in new.graph.node for made in _expanded(graph, node)]
    del new.graph.node[:]
    new.graph.node.extend(nodes)
    return new


def _expanded(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    expand = _EXPANDED.get(node.op_type)
    if expand is None or node.domain not in ("", "ai.onnx", "com.microsoft"):
        return [node]
    writer = _Writer(graph, node)
    if _is_special(writer, node):
        return [node]
    expand(writer)
    return writer.nodes


def _is_special(writer: _Writer, node: onnx.NodeProto) -> bool:
    """Whether the operator on numbers would compute something else, or none is compiled."""
    if node.op_type == "QGemm" and writer.attribute("alpha", 1) != 1:
        return True
    return bool(writer.attribute("channels_last")) or writer.is_half(node.input[1])


def _conv(writer: _Writer) -> None:
    inputs = [writer.number(0), writer.number(3, axis=0)]
    if writer.named(8):
        scale = writer.product(writer.named(1), writer.named(4))
        axis = None if writer.is_scalar(writer.named(4)) else 0
        inputs.append(writer.dequantized(writer.named(8), scale, "", axis=axis))
    writer.quantize(writer.compute("Conv", inputs), 6)


def _matmul(writer: _Writer) -> None:
    last = writer.rank(writer.named(3)) - 1
    writer.quantize(writer.compute("MatMul", [writer.number(0), writer.number(3, axis=last)]), 6)


def _gemm(writer: _Writer) -> None:
    axis = 0 if writer.attribute("transB") else 1
    inputs = [writer.number(0), writer.number(3, axis=axis)]
    if writer.named(6):
        scale = writer.product(writer.named(1), writer.named(4))
        last = max(0, writer.rank(writer.named(6)) - 1)
        axis_of_bias = None if writer.is_scalar(writer.named(4)) else last
        inputs.append(writer.dequantized(writer.named(6), scale, "", axis=axis_of_bias))
    writer.quantize(writer.compute("Gemm", inputs), 7)


def _concat(writer: _Writer) -> None:
    tensors = [writer.number(first) for first in range(2, writer.inputs, 3)]
    writer.quantize(writer.compute("Concat", tensors), 0)


def _where(writer: _Writer) -> None:
    inputs = [writer.named(0), writer.number(1), writer.number(4)]
    writer.quantize(writer.compute("Where", inputs), 7)


def _unary(op_type: str) -> Callable[[_Writer], None]:
    def expand(writer: _Writer) -> None:
        result = writer.compute(op_type, [writer.number(0)], "channels_last", "opset")
        writer.quantize(result, 3)

    return expand


def _binary(op_type: str) -> Callable[[_Writer], None]:
    def expand(writer: _Writer) -> None:
        writer.quantize(writer.compute(op_type, [writer.number(0), writer.number(3)]), 6)

    return expand


_EXPANDED: Mapping[str, Callable[[_Writer], None]] = {
    "QGemm": _gemm,
    "QLinearAdd": _binary("Add"),
    "QLinearAveragePool": _unary("AveragePool"),
    "QLinearConcat": _concat,
    "QLinearConv": _conv,
    "QLinearGlobalAveragePool": _unary("GlobalAveragePool"),
    "QLinearLeakyRelu": _unary("LeakyRelu"),
    "QLinearMatMul": _matmul,
    "QLinearMul": _binary("Mul"),
    "QLinearReduceMean": _unary("ReduceMean"),
    "QLinearSigmoid": _unary("Sigmoid"),
    "QLinearSoftmax": _unary("Softmax"),
    "QLinearWhere": _where,
}
