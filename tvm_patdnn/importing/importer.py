"""From an ONNX model to a Relax module with constant weights and fixed shapes."""

from __future__ import annotations

import contextlib
import io
import logging
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import onnx
import onnx.inliner
import onnxslim
import tvm
from onnx import helper
from tvm.relax.frontend.onnx import from_onnx

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_file import ModelSource, load_onnx
from tvm_patdnn.importing.onnx_normal_form import normal_form
from tvm_patdnn.importing.onnx_shapes import InputShapes, fix_input_shapes
from tvm_patdnn.importing.onnx_support import check_supported, decline_quantised, describe_node
from tvm_patdnn.importing.weight_names import weight_names
from tvm_patdnn.tensor_spec import TensorSpec

__all__ = ["ImportedModel", "import_onnx"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ImportedModel:
    """A model as TVM sees it.

    Attributes:
        module: its function "main" takes the inputs, in order, and returns the output, or a
            tuple of the outputs; weights are constants.
        inputs: by the names of the ONNX file, in order.
        output_names: as in the ONNX file, in order.
        weight_names: name of the layer by ``weight_key`` of its weight.
    """

    module: tvm.IRModule
    inputs: Mapping[str, TensorSpec]
    output_names: tuple[str, ...]
    weight_names: Mapping[str, str]


def import_onnx(model: ModelSource, input_shapes: InputShapes | None = None) -> ImportedModel:
    """Reads, simplifies and imports a model.

    Args:
        model: path, bytes or ModelProto (which is left as it is).
        input_shapes: sizes of dynamic inputs, for example ``{"x": [1, 3, 224, 224]}``.

    Raises:
        ModelError: the model cannot be read, is quantised, lacks a shape, or has something
            that TVM cannot import; the message names the input, or the operators and nodes.
    """
    loaded = load_onnx(model)
    decline_quantised(loaded)  # before asking for shapes, and before weights are folded to float
    fixed = fix_input_shapes(loaded, input_shapes)
    simple = normal_form(_simplify(fixed))
    check_supported(simple)
    return ImportedModel(
        module=_to_relax(simple),
        inputs={value.name: _spec(value) for value in simple.graph.input},
        output_names=tuple(value.name for value in simple.graph.output),
        weight_names=weight_names(simple, fixed),
    )


def _simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """Folds shape computations, which TVM's importer needs; on failure returns ``model``."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    try:
        inlined = onnx.inliner.inline_local_functions(copy) if copy.functions else copy
        simple = onnxslim.slim(inlined)
    except Exception as error:  # any failure of the optional step means: go on without it
        _LOG.warning("onnxslim failed (%s); importing the model unsimplified", error)
        return model
    return simple if _interface(simple) == _interface(model) else model


def _interface(model: onnx.ModelProto) -> tuple[list[str], list[str]]:
    graph = model.graph
    return [value.name for value in graph.input], [value.name for value in graph.output]


def _to_relax(model: onnx.ModelProto) -> tvm.IRModule:
    # The frontend prints the failing operator and warns of each input that it renames.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return from_onnx(model, keep_params_in_input=False)
        except Exception as error:  # the frontend raises assertions, ValueError, TVMError, ...
            raise ModelError(_cannot_import(error)) from error


def _cannot_import(error: Exception) -> str:
    node = _node_being_imported(error)
    where = f"{describe_node(node)} ({node.op_type})" if node is not None else "the model"
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return (
        f"{where}: TVM cannot import it: {reason}; rewrite this part of the network, or cut "
        "the model before it"
    )


def _node_being_imported(error: Exception) -> onnx.NodeProto | None:
    """Finds the node in the frontend's own stack; its errors do not always name it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        node = frame.f_locals.get("node")
        if isinstance(node, onnx.NodeProto):
            return node
    return None


def _spec(value: onnx.ValueInfoProto) -> TensorSpec:
    tensor_type = value.type.tensor_type
    shape = tuple(dim.dim_value for dim in tensor_type.shape.dim)
    return TensorSpec(shape, helper.tensor_dtype_to_np_dtype(tensor_type.elem_type).name)
