"""Replaces an If whose condition is a constant by the branch that is taken."""

from __future__ import annotations

from collections.abc import Mapping

import onnx
from onnx import helper

from tvm_patdnn.importing.onnx_constants import array_of

__all__ = ["inline_branches"]


def inline_branches(model: onnx.ModelProto) -> bool:
    """Inlines in place; says whether there was such a node.

    Before: y = If(true) {t = Relu(x); then_out = Neg(t)} else {...}.
    After: if0_t = Relu(x); y = Neg(if0_t). Values of a branch get new names, as another
    branch may use the same.
    """
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    found = False
    for position, node in enumerate(graph.node):
        branch = _taken(node, stored)
        if branch is None:
            nodes.append(node)
            continue
        found = True
        prefix = f"{node.name or node.output[0]}.{position}."
        nodes += _inlined(graph, branch, list(node.output), prefix)
    if found:
        del graph.node[:]
        graph.node.extend(nodes)
    return found


def _taken(node: onnx.NodeProto, stored: Mapping[str, onnx.TensorProto]) -> onnx.GraphProto | None:
    if node.op_type != "If" or not node.input or node.input[0] not in stored:
        return None
    condition = array_of(stored[node.input[0]])
    wanted = "then_branch" if condition.all() else "else_branch"
    branch = next((each.g for each in node.attribute if each.name == wanted), None)
    if branch is None or len(branch.output) != len(node.output):
        return None
    return branch


def _inlined(
    graph: onnx.GraphProto, branch: onnx.GraphProto, outputs: list[str], prefix: str
) -> list[onnx.NodeProto]:
    """Adds the branch's constants to ``graph``; returns its nodes with their new names."""
    inner = [tensor.name for tensor in branch.initializer]
    inner += [name for node in branch.node for name in node.output if name]
    names = {name: prefix + name for name in inner}
    for tensor in branch.initializer:
        graph.initializer.add().CopyFrom(tensor)
        graph.initializer[-1].name = names[tensor.name]
    nodes = [_renamed(node, names) for node in branch.node]
    results = zip(branch.output, outputs, strict=True)
    copies = [
        helper.make_node("Identity", [names.get(inside.name, inside.name)], [outside])
        for inside, outside in results
    ]
    return [*nodes, *copies]


def _renamed(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    new = onnx.NodeProto()
    new.CopyFrom(node)
    new.input[:] = [names.get(name, name) for name in node.input]
    new.output[:] = [names.get(name, name) for name in node.output]
    for attribute in new.attribute:
        if attribute.HasField("g"):
            _rename_captured(attribute.g, names)
    return new


def _rename_captured(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Renames what an inner graph reads from the outer ones."""
    own = {tensor.name for tensor in graph.initializer} | {value.name for value in graph.input}
    own |= {name for node in graph.node for name in node.output}
    outer = {old: new for old, new in names.items() if old not in own}
    nodes = [_renamed(node, outer) for node in graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    for value in graph.output:
        value.name = outer.get(value.name, value.name)
