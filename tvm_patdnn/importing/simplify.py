"""Makes an ONNX graph plainer before it is imported: the same everywhere.

Constants are folded by ONNX's own reference evaluator. onnxslim, which fuses and drops
nodes, would fold them with onnxruntime where that is installed, and not at all elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import logging
from copy import deepcopy

import onnx
import onnx.inliner
import onnxslim

from tvm_patdnn.importing.fold_constants import fold_constants

__all__ = ["simplify"]

_LOG = logging.getLogger(__name__)


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy of ``model`` without local functions, constants folded, nodes fused."""
    slim = _slim(_folded(model))
    if slim is None:  # what it was given may have been changed
        return _folded(model)
    if not fold_constants(slim):
        return slim
    return _slim(deepcopy(slim)) or slim  # it infers more shapes


def _folded(model: onnx.ModelProto) -> onnx.ModelProto:
    folded = onnx.inliner.inline_local_functions(model) if model.functions else deepcopy(model)
    fold_constants(folded)
    return folded


def _slim(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """Fuses and drops nodes, maybe in place; None on failure, or if inputs or outputs would go."""
    interface = _interface(model)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not like
            simple = onnxslim.slim(model, skip_optimizations=["constant_folding"])
    except Exception as error:  # any failure of the optional step means: go on without it
        _LOG.warning("onnxslim failed (%s); importing the model unsimplified", error)
        return None
    return simple if _interface(simple) == interface else None


def _interface(model: onnx.ModelProto) -> tuple[list[str], list[str]]:
    graph = model.graph
    return [value.name for value in graph.input], [value.name for value in graph.output]
