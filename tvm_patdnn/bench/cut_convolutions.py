"""Cuts convolutions out of a network, each with what makes its operands.

Of a quantised network that is the ``DequantizeLinear`` of the input and of the parameters, and
what follows up to the ``QuantizeLinear`` of the result: integers in, integers out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import onnx
from onnx import TensorProto, helper

from tvm_patdnn.importing.expand_quantised import expand_quantised
from tvm_patdnn.importing.onnx_constants import constant_tensors
from tvm_patdnn.importing.weight_names import layer_name

__all__ = ["CutConvolution", "cut_convolutions"]

_BEHIND = frozenset({"Clip", "QuantizeLinear", "Relu"})  # a convolution that is quantised


@dataclass(frozen=True, kw_only=True, eq=False)
class CutConvolution:
    """A convolution with constant weights.

    Attributes:
        node: itself, among ``nodes``, in order, of which it is cut out.
        constants: what these read besides ``source``.
        weight_shape: (filters, channels of a group, kh, kw).
    """

    name: str
    node: onnx.NodeProto
    nodes: tuple[onnx.NodeProto, ...]
    constants: tuple[TensorProto, ...]
    source: onnx.ValueInfoProto
    result: onnx.ValueInfoProto
    in_shape: tuple[int, ...]
    weight_shape: tuple[int, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for those of the same work."""
        attributes = sorted((each.name, str(each)) for each in self.node.attribute)
        return (self.in_shape, self.weight_shape, len(self.node.input), *attributes)

    def as_model(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """Makes a model of it, in the version that ``model`` has."""
        graph = helper.make_graph(
            self.nodes, "layer", [self.source], [self.result], list(self.constants)
        )
        return helper.make_model(
            graph, opset_imports=model.opset_import, ir_version=model.ir_version
        )


def cut_convolutions(model: onnx.ModelProto) -> list[CutConvolution]:
    """Returns the convolutions of a model with fixed input shapes, in order."""
    graph = _Graph(onnx.shape_inference.infer_shapes(expand_quantised(model)).graph)
    convolutions = (node for node in graph.nodes if node.op_type == "Conv")
    return [each for node in convolutions for each in graph.cut(node)]


class _Graph:
    """What is known of each value of a graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.nodes = graph.node
        self._stored = constant_tensors(graph)
        self._makers = {name: node for node in graph.node for name in node.output}
        self._readers = Counter(name for node in graph.node for name in node.input)
        self._values = {
            value.name: value for value in (*graph.input, *graph.value_info, *graph.output)
        }

    def cut(self, conv: onnx.NodeProto) -> Iterator[CutConvolution]:
        """Yields a convolution, if its parameters are constant and its shapes known."""
        parameters = [self._constant_makers(name) for name in conv.input[1:] if name]
        shape = self._shape(conv.input[0])
        if not shape or min(shape) < 1 or None in parameters:
            return
        maker = self._makers.get(conv.input[0])
        before = [maker] if maker is not None and maker.op_type == "DequantizeLinear" else []
        behind = self._behind(conv) if before else []
        made = [node for each in parameters for node in each or ()]
        nodes = [*before, *made, conv, *behind]
        yield CutConvolution(
            name=layer_name(conv),
            node=conv,
            nodes=tuple(nodes),
            constants=tuple(self._constants(nodes)),
            source=self._values[before[0].input[0] if before else conv.input[0]],
            result=self._values[nodes[-1].output[0]],
            in_shape=shape,
            weight_shape=self._shape(conv.input[1]),
        )

    def _constant_makers(self, name: str) -> list[onnx.NodeProto] | None:
        """Returns the nodes that make a value of constants; None if it is made of others, too."""
        if name in self._stored or not name:
            return []
        maker = self._makers.get(name)
        before = [self._constant_makers(each) for each in maker.input] if maker else [None]
        if maker is None or None in before:
            return None
        return [*(node for each in before for node in each or ()), maker]

    def _behind(self, conv: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Returns what makes integers of the result; nothing if that stays numbers."""
        found: list[onnx.NodeProto] = []
        value = conv.output[0]
        while not found or found[-1].op_type != "QuantizeLinear":
            (*_, node) = [n for n in self.nodes if value in n.input] or [None]
            if node is None or node.op_type not in _BEHIND or self._readers[value] > 1:
                return []
            found.append(node)
            value = node.output[0]
        return found

    def _constants(self, nodes: Sequence[onnx.NodeProto]) -> Iterator[TensorProto]:
        for name in dict.fromkeys(name for node in nodes for name in node.input):
            if name in self._stored:
                tensor = TensorProto()
                tensor.CopyFrom(self._stored[name])
                tensor.name = name
                yield tensor

    def _shape(self, name: str) -> tuple[int, ...]:
        if name in self._stored:
            return tuple(self._stored[name].dims)
        value = self._values.get(name)
        sizes = value.type.tensor_type.shape.dim if value is not None else ()
        return tuple(size.dim_value for size in sizes)
