import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_models import model_of
from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.onnx_constants import (
    array_of,
    check_stored,
    constant_tensors,
    stored_tensors,
)


def raw(data_type=TensorProto.FLOAT, dims=(2, 2), data=b"\0" * 16):
    return TensorProto(name="w", data_type=data_type, dims=dims, raw_data=data)


def constant(**value):
    return helper.make_node("Constant", [], ["c"], **value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"value": numpy_helper.from_array(np.eye(2))}, np.eye(2)),
        ({"value_float": 0.5}, np.float32(0.5)),
        ({"value_floats": [1.0, 2.0]}, np.array([1, 2], np.float32)),
        ({"value_int": 3}, np.int64(3)),
        ({"value_ints": [4, 5]}, np.array([4, 5])),
    ],
)
def test_every_form_of_a_constant_node(value, expected):
    graph = model_of([constant(**value)], inputs={}).graph
    found = array_of(constant_tensors(graph)["c"])
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_what_is_not_a_tensor_is_left_out():
    graph = model_of([constant(value_string="text")], inputs={}, weights={"w": np.eye(2)}).graph
    assert list(constant_tensors(graph)) == ["w"]


def test_tensors_may_be_written_to():
    nodes = [constant(value=numpy_helper.from_array(np.eye(2)))]
    graph = model_of(nodes, inputs={}, weights={"w": np.eye(2)}).graph
    for tensor in constant_tensors(graph).values():
        tensor.CopyFrom(numpy_helper.from_array(np.zeros(3), tensor.name))
    assert [list(tensor.dims) for tensor in stored_tensors(graph)] == [[3], [3]]


def test_tensors_of_branches_are_found():
    branch = model_of([constant(value_int=1)], inputs={}, weights={"inner": np.eye(2)}).graph
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    assert [t.name for t in stored_tensors(model_of([node], inputs={}).graph)] == ["inner"] * 2


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (raw(dims=(2, 3)), r"16 bytes are stored, its shape \[2, 3\] needs 24; the file is dam"),
        (raw(dims=(2, -2)), r"its shape is \[2, -2\]"),
        (raw(dims=(2**40, 2**40)), "16 bytes are stored"),
        (raw(data_type=2**31 - 1), "no type has number 2147483647"),
        (raw(data_type=0), "no type has number 0"),
        (
            TensorProto(name="w", data_type=TensorProto.INT64, dims=[3], int64_data=[1, 2]),
            r"2 numbers are stored, its shape \[3\] needs 3",
        ),
        (raw(data_type=TensorProto.INT8, dims=(2, 3)), "cannot reshape"),
    ],
)
def test_damaged_tensors_are_named(tensor, message):
    with pytest.raises(ModelError, match=rf"^constant 'w': cannot be read: .*{message}"):
        array_of(tensor)


@pytest.mark.parametrize(
    "array",
    [
        np.float16([1.5, 2]),
        np.array([True, False]),
        np.array([2**40]),
        np.zeros((0, 3), np.float32),
        np.array(7, np.uint8),
        np.array(1j),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_sound_tensors_are_read(array, packed):
    tensor = numpy_helper.from_array(array, "w")
    if not packed:
        flat = array.ravel().tolist()
        tensor = helper.make_tensor("w", tensor.data_type, array.shape, flat)
    check_stored(tensor)
    np.testing.assert_array_equal(array_of(tensor), array)
