"""Makes an ONNX graph plainer before it is imported: the same everywhere.

Constants are folded by ONNX's own reference evaluator. onnxslim, which fuses and drops
nodes, would fold them with onnxruntime where that is installed, and not at all elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import logging

import onnx
import onnx.inliner
import onnxslim

from tvm_patdnn.importing.fold_constants import fold_constants

__all__ = ["simplify"]

_LOG = logging.getLogger(__name__)


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy of ``model`` without local functions, constants folded, nodes fused."""
    simple = _inlined(model)
    fold_constants(simple)
    simple = _slim(simple)
    return _slim(simple) if fold_constants(simple) else simple  # it infers more shapes


def _inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    if model.functions:
        return onnx.inliner.inline_local_functions(model)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _slim(model: onnx.ModelProto) -> onnx.ModelProto:
    """Fuses and drops nodes; on failure, or if inputs or outputs would go, does nothing."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not like
            simple = onnxslim.slim(copy, skip_optimizations=["constant_folding"])
    except Exception as error:  # any failure of the optional step means: go on without it
        _LOG.warning("onnxslim failed (%s); importing the model unsimplified", error)
        return model
    return simple if _interface(simple) == _interface(model) else model


def _interface(model: onnx.ModelProto) -> tuple[list[str], list[str]]:
    graph = model.graph
    return [value.name for value in graph.input], [value.name for value in graph.output]
