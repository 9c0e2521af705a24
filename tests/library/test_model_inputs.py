import numpy as np
import pytest

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.model_inputs import check_input_names, checked_inputs
from tvm_patdnn.tensor_spec import TensorSpec

KNOWN = {"b": TensorSpec((2, 3), "float32"), "a": TensorSpec((), "int64")}
A, B = np.array(3), np.arange(6, dtype=np.float32).reshape(2, 3)


def test_in_the_order_of_the_model_and_dense():
    first, second = checked_inputs(KNOWN, {"a": A, "b": np.asfortranarray(B)})
    assert first.flags.c_contiguous
    assert (first == B).all()
    assert second.shape == ()
    assert checked_inputs(KNOWN, {"a": 3, "b": B})[1] == 3


def test_names():
    check_input_names(KNOWN, ["a", "b"])
    with pytest.raises(
        LibraryError, match=r"got \['a', 'c'\], expected \['a', 'b'\]; missing: \['b'\]; unknown: "
    ):
        check_input_names(KNOWN, ["a", "c"])


def test_names_that_are_wrong_are_told_with_what_to_write():
    with pytest.raises(LibraryError, match=r"unknown: \['c'\]; give {'b': array, 'a': array}$"):
        check_input_names(KNOWN, ["a", "b", "c"])


CONVERT, RESHAPE = r"convert it with .astype\('float32'\)", "reshape it, or build for this shape"


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        (B[:1], f"; {RESHAPE} with input_shapes$"),
        (B.T, f"; {RESHAPE}"),
        (B.astype(np.float64), f"; {CONVERT}$"),
        (B.T.astype(np.uint8), f"; {CONVERT}; {RESHAPE}"),
    ],
)
def test_shapes_and_types(wrong, remedy):
    expected = r"expected float32 of shape \[2, 3\]"
    with pytest.raises(LibraryError, match=f"input 'b': got .* {expected}{remedy}"):
        checked_inputs(KNOWN, {"a": A, "b": wrong})


@pytest.mark.parametrize("given", [B, [A, B], None])
def test_arrays_without_names(given):
    message = r"inputs: got \w+, expected a dict .* \['b', 'a'\]; give {'b': array, 'a': array}, or"
    with pytest.raises(LibraryError, match=message + " call the model with arrays in this order"):
        checked_inputs(KNOWN, given)
