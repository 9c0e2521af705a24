"""Turns what passes and TVM raise on a model into an error that names a node of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import onnx

from tvm_patdnn.compilation import Request
from tvm_patdnn.error_lines import last_line
from tvm_patdnn.errors import BuildError, ModelError, PatDNNError
from tvm_patdnn.importing.culprit import culprit
from tvm_patdnn.importing.half_precision import EXPORT_FLOAT32, computes_in_half
from tvm_patdnn.importing.importer import ImportedModel, fixed_model, import_fixed
from tvm_patdnn.importing.onnx_nodes import describe_node
from tvm_patdnn.importing.onnx_rules import contradiction
from tvm_patdnn.native_warnings import release_frames, without_native_warnings

__all__ = ["naming_culprit"]


@contextmanager
def naming_culprit(
    request: Request, target: object, compile_model: Callable[[ImportedModel], object]
) -> Iterator[None]:
    """Whatever goes wrong inside is about a node of the model, which is looked for.

    Args:
        request: says which model it is.
        target: what it is compiled for.
        compile_model: does what goes wrong, with another model.

    Raises:
        ModelError: names the node.
        BuildError: no node is found. Errors of this package pass as they are.
    """
    try:
        yield
    except PatDNNError:
        raise
    except Exception as error:
        named = _named(error, request, target, compile_model)
        release_frames(error)
        raise named from error


def _named(
    error: Exception,
    request: Request,
    target: object,
    compile_model: Callable[[ImportedModel], object],
) -> PatDNNError:
    model = fixed_model(request.onnx_model, request.input_shapes)
    said = last_line(error)
    reason = contradiction(model)
    if reason is not None:
        return ModelError(f"the model cannot be compiled: {reason}; correct it and export it again")
    half = computes_in_half(model)
    advice = f"the model computes in float16: {EXPORT_FLOAT32}" if half else ""
    node = culprit(model, lambda beginning: _fails(beginning, compile_model))
    if node is None:
        return BuildError(
            f"TVM cannot compile the model for {target}: {said}; "
            f"{advice or 'please report the model'}"
        )
    rewrite = "rewrite this part of the network, or cut the model before it, and please report it"
    return ModelError(
        f"{describe_node(node)}: TVM cannot compile it for {target}: {said}; {advice or rewrite}"
    )


def _fails(model: onnx.ModelProto, compile_model: Callable[[ImportedModel], object]) -> bool:
    try:
        with without_native_warnings():
            compile_model(import_fixed(model))
    except Exception as error:  # whatever it is: the whole model failed, too
        release_frames(error)
        return True
    return False
