"""The convolutions of an ONNX graph and the tensors that hold their weights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper

from tvm_patdnn.errors import PruningError
from tvm_patdnn.importing.onnx_constants import array_of, constant_tensors
from tvm_patdnn.importing.quantised_ops import is_quantised
from tvm_patdnn.importing.weight_names import layer_name

__all__ = ["ConvLayer", "decline_quantised", "find_conv_layers"]

_LAYER_OPS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_FLOAT_TYPES = frozenset(
    {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}
)


@dataclass(frozen=True, kw_only=True, eq=False)
class ConvLayer:
    """One convolution, or several that share a weight.

    Attributes:
        names: what a user may call it; the first is the one we print.
        weight: (out_c, in_c per group, kh, kw) in the file's dtype; None if it is
            computed at run time.
        tensor: where the weight is stored in the model, to be written to.
        group: the convolution's groups.
        first: no convolution or fully connected layer comes before it.
        other_use: the node or output that uses the same tensor for something else.
        frozen: it is not to be trained.
    """

    names: tuple[str, ...]
    weight: np.ndarray | None
    tensor: TensorProto | None
    group: int
    first: bool
    other_use: str | None
    frozen: bool = False

    @property
    def name(self) -> str:
        """The name to print."""
        return self.names[0]


def find_conv_layers(graph: GraphProto) -> list[ConvLayer]:
    """Lists the convolutions of ``graph`` in the order they run.

    Weights may be initializers or Constant nodes, also behind Identity nodes. Bodies of
    If, Loop and local functions are not looked into.
    """
    aliases = _aliases(graph)
    tensors = _float_tensors(graph)
    after_layer = _values_after_a_layer(graph)
    other_uses = _other_uses(graph, aliases)
    users: dict[str, list[NodeProto]] = defaultdict(list)
    for node in graph.node:
        if node.op_type == "Conv":
            source = aliases.get(node.input[1], node.input[1])
            users[source if source in tensors else node.output[0]].append(node)
    return [
        ConvLayer(
            names=_names(nodes),
            weight=array_of(tensor) if tensor is not None else None,
            tensor=tensor,
            group=_group(nodes[0]),
            first=any(node.input[0] not in after_layer for node in nodes),
            other_use=other_uses.get(source),
        )
        for source, nodes in users.items()
        for tensor in [tensors.get(source)]
    ]


def decline_quantised(graph: GraphProto) -> None:
    """Checks that the model is a float model.

    Raises:
        PruningError: the model is quantised; the first such node is named.
    """
    for node in graph.node:
        if is_quantised(node):
            raise PruningError(
                f"{node.name or node.output[0]} ({node.op_type}): the model is quantised; "
                "prune the float model and quantise the result"
            )


def _float_tensors(graph: GraphProto) -> dict[str, TensorProto]:
    """Maps the names of floating-point constants to the tensors that hold them."""
    tensors = constant_tensors(graph)
    return {name: t for name, t in tensors.items() if t.data_type in _FLOAT_TYPES}


def _aliases(graph: GraphProto) -> dict[str, str]:
    """Maps the outputs of Identity nodes to the value they repeat."""
    aliases: dict[str, str] = {}
    for node in graph.node:
        if node.op_type == "Identity":
            aliases[node.output[0]] = aliases.get(node.input[0], node.input[0])
    return aliases


def _values_after_a_layer(graph: GraphProto) -> set[str]:
    values: set[str] = set()
    for node in graph.node:
        if node.op_type in _LAYER_OPS or not values.isdisjoint(node.input):
            values.update(node.output)
    return values


def _other_uses(graph: GraphProto, aliases: dict[str, str]) -> dict[str, str]:
    """Maps values to one use of each that is not the weight of a convolution."""
    uses: dict[str, str] = {}
    for value, user in _uses(graph):
        uses.setdefault(aliases.get(value, value), user)
    return uses


def _uses(graph: GraphProto) -> Iterator[tuple[str, str]]:
    for node in graph.node:
        if node.op_type == "Identity":
            continue
        user = f"{node.name or node.output[0]} ({node.op_type})"
        for position, value in enumerate(node.input):
            if (node.op_type, position) != ("Conv", 1):
                yield value, user
    for output in graph.output:
        yield output.name, f"output {output.name}"


def _names(nodes: list[NodeProto]) -> tuple[str, ...]:
    """Names a layer as the compiler does, then by its nodes, weight and outputs."""
    usual = [layer_name(node) for node in nodes]
    own = [node.name for node in nodes if node.name]
    weights = [node.input[1] for node in nodes]
    outputs = [node.output[0] for node in nodes]
    return tuple(dict.fromkeys([*usual, *own, *weights, *outputs]))


def _group(node: NodeProto) -> int:
    for attribute in node.attribute:
        if attribute.name == "group":
            return int(helper.get_attribute_value(attribute))
    return 1
