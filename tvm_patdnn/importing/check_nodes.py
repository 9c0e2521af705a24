"""Checks each node of an ONNX graph against the definition of its operator.

Only what no reader of ONNX files accepts: the number of inputs and outputs, and the types
of attributes. Passes can then rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx
from onnx import AttributeProto, defs

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_nodes import all_nodes, describe_node

__all__ = ["check_nodes"]

_DEFAULT_DOMAIN = frozenset({"", "ai.onnx"})
_TYPE_NAMES = {number: name for name, number in AttributeProto.AttributeType.items()}


def check_nodes(model: onnx.ModelProto) -> None:
    """Checks the nodes of the main graph, of branches and loop bodies; not of functions.

    Raises:
        ModelError: a node has too few or too many inputs or outputs, an attribute of another
            type than its operator's, or one that refers to a function's.
    """
    versions = {o.domain: o.version for o in model.opset_import if o.domain in _DEFAULT_DOMAIN}
    functions = {(function.domain, function.name) for function in model.functions}
    for node in all_nodes(model.graph):
        schema = _schema(node, versions)
        if schema is None or (node.domain, node.op_type) in functions:
            continue
        where = describe_node(node)
        _check_count(where, "inputs", len(node.input), schema.min_input, schema.max_input)
        _check_count(where, "outputs", len(node.output), schema.min_output, schema.max_output)
        for attribute in node.attribute:
            _check_attribute(where, attribute, schema.attributes)


def _schema(node: onnx.NodeProto, versions: Mapping[str, int]) -> defs.OpSchema | None:
    if node.domain not in _DEFAULT_DOMAIN or not versions:
        return None
    try:
        return defs.get_schema(node.op_type, max(versions.values()), "")
    except (defs.SchemaError, TypeError):  # not an operator of ONNX, or of no known version
        return None


def _check_count(where: str, what: str, count: int, least: int, most: int) -> None:
    if least <= count <= most:
        return
    expected = f"{least}" if least == most else f"{least} to {most}"
    raise ModelError(
        f"{where}: has {count} {what}, expected {expected}; the file is damaged, or its exporter "
        "is at fault: export the model again"
    )


def _check_attribute(
    where: str, given: AttributeProto, known: Mapping[str, defs.OpSchema.Attribute]
) -> None:
    if given.ref_attr_name:
        raise ModelError(
            f"{where}: attribute '{given.name}' refers to '{given.ref_attr_name}' of a function, "
            "but the node is not in one; give the attribute a value"
        )
    if given.name not in known or given.type == AttributeProto.UNDEFINED:  # as in oldest files
        return
    found, expected = (
        _TYPE_NAMES.get(given.type, given.type),
        str(known[given.name].type).rpartition(".")[2],
    )
    if found != expected:
        raise ModelError(
            f"{where}: attribute '{given.name}' is of type {found}, expected {expected}; "
            "correct it and export the model again"
        )
