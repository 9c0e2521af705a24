import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.bench.samples import small_network
from tvm_patdnn.bench.reference import make_inputs, relative_error


def test_float_inputs_are_like_pixels_and_always_the_same():
    (x,) = make_inputs(small_network()).values()
    assert (x.shape, x.dtype) == ((1, 3, 8, 8), np.float32)
    assert 0 <= x.min() < 0.1 < 0.9 < x.max() < 1
    np.testing.assert_array_equal(x, make_inputs(small_network())["x"])


def test_other_inputs_are_zeros_and_ones():
    model = small_network()
    model.graph.input.append(helper.make_tensor_value_info("n", TensorProto.INT64, (50,)))
    n = make_inputs(model)["n"]
    assert n.dtype == np.int64
    assert set(n) == {0, 1}


@pytest.mark.parametrize(
    ("outputs", "expected", "error"),
    [
        ([[1.0, 2.0]], [[1.0, 4.0]], 0.5),
        ([[1.0], [3.0]], [[1.0], [2.0]], 0.5),  # the worst output
        ([[[1.0, 2.0]]], [[1.0, 2.0]], 0.0),  # an axis of size 1 more
        ([[1.0]], [[1.0, 2.0]], np.inf),
        ([[1.0]], [[1.0], [1.0]], np.inf),
        ([[np.nan]], [[1.0]], np.inf),
        ([[0.0]], [[0.0]], 0.0),
    ],
)
def test_the_error_is_relative_to_the_largest_value(outputs, expected, error):
    arrays = [[np.array(each) for each in both] for both in (outputs, expected)]
    assert relative_error(*arrays) == error


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_bytes_have_all_values(dtype):
    model = small_network()
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    model.graph.input.append(helper.make_tensor_value_info("n", kind, (5000,)))
    n = make_inputs(model)["n"]
    assert (n.dtype, n.min(), n.max()) == (dtype, np.iinfo(dtype).min, np.iinfo(dtype).max)
