"""Walks over the nodes of an ONNX graph, and names them."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

__all__ = ["all_nodes", "describe_node", "name_node"]


def all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yields the nodes, those in the branches of If and in loop bodies too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from all_nodes(attribute.g)


def name_node(node: onnx.NodeProto) -> str:
    """Names a node by its name or, when it has none, by its output."""
    first_output = next(iter(node.output), "")
    return f"'{node.name}'" if node.name else f"the node that computes '{first_output}'"


def describe_node(node: onnx.NodeProto) -> str:
    """Names a node, with its operator."""
    return f"{name_node(node)} ({node.op_type})"
