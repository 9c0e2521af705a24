"""Says at once everything in an ONNX model that cannot be compiled."""

from __future__ import annotations

from collections import defaultdict

import onnx
from tvm.relax.frontend.onnx import onnx_frontend

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_nodes import all_nodes, describe_node, name_node
from tvm_patdnn.importing.quantised_ops import is_dynamically_quantised

__all__ = ["check_supported", "data_dependent_nodes", "decline_dynamically_quantised"]

_DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})  # the importer has no others
_DATA_DEPENDENT = frozenset({"Compress", "NonMaxSuppression", "NonZero", "Unique"})
_NODES_SHOWN = 3


def decline_dynamically_quantised(model: onnx.ModelProto) -> None:
    """Checks that all scales of a quantised model are in the file.

    Raises:
        ModelError: some depend on the data; the first such node is named.
    """
    for node in all_nodes(model.graph):
        if is_dynamically_quantised(node):
            raise ModelError(
                f"{describe_node(node)}: dynamically quantised models are not supported; quantise "
                "the float model it was made from with data: tvm-patdnn quantize"
            )


def check_supported(model: onnx.ModelProto) -> None:
    """Checks that the model is made of operators that TVM imports.

    Raises:
        ModelError: it has others; all are listed, with nodes that use them.
    """
    known = _imported_ops()
    unsupported: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in all_nodes(model.graph):
        if node.op_type not in known or node.domain not in _DOMAINS:
            unsupported[_op_name(node)].append(node)
    if unsupported:
        found = "; ".join(f"{op} ({_listed(where)})" for op, where in unsupported.items())
        raise ModelError(
            f"operators that TVM cannot import: {found}; replace them, or cut the model before them"
        )


def data_dependent_nodes(model: onnx.ModelProto) -> tuple[str, ...]:
    """Describes the nodes whose result's size is known only when they have run."""
    return tuple(
        f"{node.op_type} ({name_node(node)})"
        for node in all_nodes(model.graph)
        if node.op_type in _DATA_DEPENDENT
    )


def _imported_ops() -> frozenset[str]:
    # Private, but pinned with TVM's exact version; the test of this module notices a change.
    return frozenset(onnx_frontend._get_convert_map()) | {"If"}


def _op_name(node: onnx.NodeProto) -> str:
    return f"{node.domain}.{node.op_type}" if node.domain else node.op_type


def _listed(nodes: list[onnx.NodeProto]) -> str:
    shown = ", ".join(name_node(node) for node in nodes[:_NODES_SHOWN])
    hidden = len(nodes) - _NODES_SHOWN
    return shown if hidden <= 0 else f"{shown} and {hidden} more"
