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


@pytest.mark.parametrize("wrong", [B[:1], B.astype(np.float64), B.T])
def test_shapes_and_types(wrong):
    with pytest.raises(LibraryError, match=r"input 'b': got .* expected float32 of shape \[2, 3\]"):
        checked_inputs(KNOWN, {"a": A, "b": wrong})
