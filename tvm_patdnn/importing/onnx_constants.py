"""Reads the constants of an ONNX graph: its initializers and the values of its Constant nodes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tvm_patdnn.errors import ModelError

__all__ = ["array_of", "check_stored", "constant_tensors", "stored_tensors"]

# The field that holds a tensor's numbers, one entry each; other types pack several in one.
_FIELDS: dict[int, str] = {
    TensorProto.FLOAT: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.INT64: "int64_data",
    TensorProto.INT32: "int32_data",
}
_NUMBERS = {"value_float": np.float32, "value_floats": np.float32} | {
    "value_int": np.int64,
    "value_ints": np.int64,
}


def constant_tensors(graph: onnx.GraphProto) -> dict[str, TensorProto]:
    """Maps the names of the graph's constants to their tensors, which may be written to.

    Of Constant nodes that spell out numbers the tensor is a copy.
    """
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.output and len(node.attribute) == 1:
            tensor = _value(node.attribute[0])
            if tensor is not None:
                tensors[node.output[0]] = tensor
    return tensors


def stored_tensors(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """Yields every tensor that the graph stores, those in branches and loop bodies too."""
    yield from graph.initializer
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        if attribute.HasField("t"):
            yield attribute.t
        if attribute.HasField("g"):
            yield from stored_tensors(attribute.g)


def array_of(tensor: TensorProto) -> np.ndarray:
    """Returns the numbers of a stored tensor.

    Raises:
        ModelError: its data do not fill its shape, or its type does not exist.
    """
    check_stored(tensor)
    try:
        return numpy_helper.to_array(tensor)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(_unreadable(tensor, str(error))) from error


def check_stored(tensor: TensorProto) -> None:
    """Checks, without reading the numbers, that there are as many as the shape says.

    Raises:
        ModelError: there are others, a size is negative, or the type does not exist.
    """
    sizes = list(tensor.dims)
    if any(size < 0 for size in sizes):
        raise ModelError(_unreadable(tensor, f"its shape is {sizes}"))
    if tensor.data_type == TensorProto.STRING:
        return
    try:
        dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except (KeyError, ValueError):
        raise ModelError(_unreadable(tensor, f"no type has number {tensor.data_type}")) from None
    stored, expected, unit = _stored_and_expected(tensor, dtype.itemsize)
    if stored != expected:
        said = f"{stored:,} {unit} are stored, its shape {sizes} needs {expected:,}"
        raise ModelError(_unreadable(tensor, said))


def _stored_and_expected(tensor: TensorProto, item_bytes: int) -> tuple[int, int, str]:
    """Returns two zeros where a type packs several numbers in one entry."""
    count = math.prod(tensor.dims)
    if tensor.data_type not in _FIELDS and item_bytes == 1:
        return 0, 0, "bytes"  # 8 bits, or 4, or 2
    if tensor.HasField("raw_data"):
        return len(tensor.raw_data), count * item_bytes, "bytes"
    if tensor.data_type in _FIELDS:
        return len(getattr(tensor, _FIELDS[tensor.data_type])), count, "numbers"
    return 0, 0, "numbers"


def _unreadable(tensor: TensorProto, reason: str) -> str:
    return (
        f"constant '{tensor.name}': cannot be read: {reason}; the file is damaged, or its "
        "exporter is at fault: export the model again"
    )


def _value(attribute: onnx.AttributeProto) -> TensorProto | None:
    if attribute.name == "value" and attribute.HasField("t"):
        return attribute.t
    if attribute.name in _NUMBERS and not attribute.ref_attr_name:
        value = helper.get_attribute_value(attribute)
        return numpy_helper.from_array(np.array(value, _NUMBERS[attribute.name]))
    return None
