"""Asks ONNX's own checkers what they have against a model.

They object to more than readers of ONNX files do, so an objection alone is not a reason to
decline a model. It explains best why one cannot be imported.
"""

from __future__ import annotations

from collections.abc import Callable

import onnx

from tvm_patdnn.importing.onnx_inference import infer_types, without_weights

__all__ = ["broken_rule", "contradiction"]

_LONGEST = 300  # characters


def broken_rule(model: onnx.ModelProto) -> str | None:
    """Returns what the checker says, with the node where there is one; None if nothing.

    Shapes of outputs that the model does not declare are inferred first, as it wants them;
    those that cannot be inferred it gets as a number's, as others need not be declared.
    """
    light = without_weights(model)
    types = infer_types(model)
    for value in light.graph.output:
        if value.name in types and types[value.name].HasField("shape"):
            value.type.tensor_type.CopyFrom(types[value.name])
        elif value.type.HasField("tensor_type"):
            value.type.tensor_type.shape.SetInParent()
    return _said(lambda: onnx.checker.check_model(light))


def contradiction(model: onnx.ModelProto) -> str | None:
    """Returns why shapes cannot be inferred, with the node; None if they can."""
    light = without_weights(model)
    return _said(
        lambda: onnx.shape_inference.infer_shapes(
            light, check_type=True, strict_mode=True, data_prop=True
        )
    )


def _said(check: Callable[[], object]) -> str | None:
    try:
        check()
    except Exception as error:  # ValidationError, InferenceError, ValueError, ...
        return " ".join(str(error).split())[:_LONGEST] or type(error).__name__
    return None
