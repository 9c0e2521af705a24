"""Turns what other packages raise on a node into an error that names the node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import onnx

from tvm_patdnn import error_lines
from tvm_patdnn.errors import ModelError, PatDNNError
from tvm_patdnn.importing.onnx_nodes import describe_node
from tvm_patdnn.importing.onnx_rules import broken_rule, contradiction

__all__ = ["first_line", "naming_model", "naming_node"]

_LONGEST = 300  # characters


@contextmanager
def naming_node(node: onnx.NodeProto) -> Iterator[None]:
    """Whatever goes wrong inside is about ``node``.

    Raises:
        ModelError: names the node; errors of this package pass as they are.
    """
    try:
        yield
    except PatDNNError:
        raise
    except Exception as error:
        raise ModelError(
            f"{describe_node(node)}: cannot be read ({first_line(error)}); its inputs or "
            "attributes are not as ONNX defines them: correct it and export the model again"
        ) from error


@contextmanager
def naming_model(model: onnx.ModelProto) -> Iterator[None]:
    """Whatever goes wrong inside is because ``model`` breaks a rule of ONNX, if it does.

    Raises:
        ModelError: cites the rule, and so the node; errors of this package pass as they are.
    """
    try:
        yield
    except PatDNNError:
        raise
    except Exception as error:
        reason = contradiction(model) or broken_rule(model) or first_line(error)
        raise ModelError(
            f"the model cannot be imported: {reason}; correct it and export it again"
        ) from error


def first_line(error: Exception) -> str:
    """Returns the first line of what an error says, or its class where it says nothing."""
    return error_lines.first_line(error)[:_LONGEST]
