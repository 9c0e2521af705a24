"""From an ONNX model to a Relax module with constant weights and fixed shapes."""

from __future__ import annotations

import contextlib
import io
import logging
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import onnx
import tvm
from onnx import helper
from tvm.relax.frontend.onnx import from_onnx

from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.check_nodes import check_nodes
from tvm_patdnn.importing.check_windows import check_windows
from tvm_patdnn.importing.expand_quantised import expand_quantised
from tvm_patdnn.importing.half_precision import EXPORT_FLOAT32, computes_in_half
from tvm_patdnn.importing.node_errors import first_line, naming_model
from tvm_patdnn.importing.onnx_file import ModelSource, load_onnx
from tvm_patdnn.importing.onnx_nodes import describe_node
from tvm_patdnn.importing.onnx_normal_form import normal_form
from tvm_patdnn.importing.onnx_rules import broken_rule
from tvm_patdnn.importing.onnx_shapes import InputShapes, fix_input_shapes
from tvm_patdnn.importing.onnx_sizes import check_sizes
from tvm_patdnn.importing.onnx_support import (
    check_supported,
    data_dependent_nodes,
    decline_dynamically_quantised,
)
from tvm_patdnn.importing.output_specs import output_specs
from tvm_patdnn.importing.simplify import simplify
from tvm_patdnn.importing.weight_names import weight_names
from tvm_patdnn.native_warnings import release_frames
from tvm_patdnn.tensor_spec import TensorSpec

__all__ = ["ImportedModel", "fixed_model", "import_fixed", "import_onnx", "input_specs"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ImportedModel:
    """A model as TVM sees it.

    Attributes:
        module: its function "main" takes the inputs, in order, and returns the output, or a
            tuple of the outputs; weights are constants.
        inputs: by the names of the ONNX file, in order.
        outputs: the same.
        weight_names: name of the layer by ``weight_key`` of its weight.
        properties: what the ONNX file says about itself (``metadata_props``).
        data_dependent: operators whose result's size depends on the data, described.
    """

    module: tvm.IRModule
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    weight_names: Mapping[str, str]
    properties: Mapping[str, str]
    data_dependent: tuple[str, ...]


def import_onnx(model: ModelSource, input_shapes: InputShapes | None = None) -> ImportedModel:
    """Reads, simplifies and imports a model.

    Args:
        model: path, bytes or ModelProto (which is left as it is).
        input_shapes: sizes of dynamic inputs, for example ``{"x": [1, 3, 224, 224]}``.

    Raises:
        ModelError: the model cannot be read, is dynamically quantised, lacks a shape, or has
            something that TVM cannot import; the message names the input, or the operators and
            nodes.
    """
    fixed = fixed_model(model, input_shapes)
    half = computes_in_half(fixed)
    with naming_model(fixed), _advising_float32(advise=half):
        imported = import_fixed(fixed)
    if half:
        _LOG.warning(
            "the model computes in float16, where no kernel of ours does: TVM's plain ones are "
            "slow; %s",
            EXPORT_FLOAT32,
        )
    broken = broken_rule(fixed)
    if broken is not None:
        _LOG.warning("the model breaks a rule of ONNX and is imported all the same: %s", broken)
    return imported


@contextlib.contextmanager
def _advising_float32(*, advise: bool) -> Iterator[None]:
    """Adds to what cannot be imported of a float16 model that float32 may be."""
    try:
        yield
    except ModelError as error:
        if not advise:
            raise
        raise ModelError(f"{error}; the model computes in float16: {EXPORT_FLOAT32}") from error


def fixed_model(model: ModelSource, input_shapes: InputShapes | None = None) -> onnx.ModelProto:
    """Returns a copy of the model, checked, whose inputs have the sizes asked for.

    Raises:
        ModelError: see ``import_onnx``.
    """
    loaded = load_onnx(model)
    decline_dynamically_quantised(loaded)  # before asking for shapes
    check_nodes(loaded)
    fixed = fix_input_shapes(loaded, input_shapes, in_place=loaded is not model)
    _list_outputs_once(fixed)
    return fixed


def _list_outputs_once(model: onnx.ModelProto) -> None:
    """Drops, in place, the further mentions of an output, as results are known by their names."""
    outputs = model.graph.output
    names = [value.name for value in outputs]
    for position in reversed(range(len(names))):
        if names[position] in names[:position]:
            del outputs[position]


def import_fixed(fixed: onnx.ModelProto) -> ImportedModel:
    """Imports what ``fixed_model`` returns; it raises ModelError and what others raise."""
    check_windows(fixed)
    check_sizes(fixed)
    simple = normal_form(simplify(expand_quantised(fixed)))
    check_supported(simple)
    check_sizes(simple)
    module = _to_relax(simple)
    return ImportedModel(
        module=module,
        inputs=input_specs(simple),
        outputs=output_specs(module, [value.name for value in simple.graph.output]),
        weight_names=weight_names(simple, fixed),
        properties={entry.key: entry.value for entry in fixed.metadata_props},
        data_dependent=data_dependent_nodes(simple),
    )


def _to_relax(model: onnx.ModelProto) -> tvm.IRModule:
    # The frontend prints the failing operator and warns of each input that it renames.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return from_onnx(model, keep_params_in_input=False)
        except Exception as error:  # the frontend raises assertions, ValueError, TVMError, ...
            message = _cannot_import(error)
            release_frames(error)
            raise ModelError(message) from error


def _cannot_import(error: Exception) -> str:
    node = _node_being_imported(error)
    where = describe_node(node) if node is not None else "the model"
    return (
        f"{where}: TVM cannot import it: {first_line(error)}; rewrite this part of the network, "
        "or cut the model before it"
    )


def _node_being_imported(error: Exception) -> onnx.NodeProto | None:
    """Finds the node in the frontend's own stack; its errors do not always name it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        node = frame.f_locals.get("node")
        if isinstance(node, onnx.NodeProto):
            return node
    return None


def input_specs(model: onnx.ModelProto) -> dict[str, TensorSpec]:
    """Returns the shape and dtype of each input of a model whose shapes are fixed."""
    return {value.name: _spec(value) for value in model.graph.input}


def _spec(value: onnx.ValueInfoProto) -> TensorSpec:
    tensor_type = value.type.tensor_type
    shape = tuple(dim.dim_value for dim in tensor_type.shape.dim)
    try:
        dtype = helper.tensor_dtype_to_np_dtype(tensor_type.elem_type).name
    except KeyError:
        raise ModelError(
            f"input '{value.name}': no element type has number {tensor_type.elem_type}; correct "
            "it and export the model again"
        ) from None
    return TensorSpec(shape, dtype)
