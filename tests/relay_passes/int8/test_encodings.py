import numpy as np
import pytest
from tvm import relax

from relay_passes.int8.encodings import Encoding, read_constant, read_encoding


def dequantize(data, scale, zero, axis=1):
    constants = [relax.const(np.asarray(each)) for each in (scale, zero)]
    return relax.op.dequantize(data, *constants, axis=axis)


def variable(dtype: str) -> relax.Var:
    return relax.Var("x", relax.TensorType((1, 3, 4, 4), dtype))


def test_bytes():
    call = dequantize(variable("uint8"), np.float32(0.5), np.uint8(7))
    assert read_encoding(call) == Encoding(scale=0.5, zero=7)


def test_int8_are_stored_as_bytes_that_are_128_more():
    call = dequantize(variable("int8"), np.float32(0.5), np.int8(-7))
    assert read_encoding(call) == Encoding(scale=0.5, zero=121, dtype="int8")


@pytest.mark.parametrize(
    ("dtype", "scale", "zero"),
    [
        ("uint8", np.full(3, 0.5, np.float32), np.zeros(3, np.uint8)),
        ("uint8", np.float32(0), np.uint8(7)),
        ("uint8", np.float32("nan"), np.uint8(7)),
        ("int32", np.float32(0.5), np.int32(7)),
    ],
)
def test_others_are_not_read(dtype, scale, zero):
    assert read_encoding(dequantize(variable(dtype), scale, zero)) is None


def test_values_become_bytes():
    encoding = Encoding(scale=0.5, zero=7)
    assert [encoding.byte(value) for value in (0.0, 1.25, -np.inf, np.inf)] == [7, 9, 0, 255]


def test_constants_have_a_scale_for_each_channel():
    integers = np.arange(6, dtype=np.int8).reshape(2, 3)
    call = dequantize(relax.const(integers), np.array([0.5, 2], "f"), np.zeros(2, np.int8), axis=0)
    constant = read_constant(call, {})
    np.testing.assert_array_equal(constant.values, [[0, 0.5, 1], [6, 8, 10]])
    np.testing.assert_array_equal(constant.transpose((1, 0)).values, constant.values.T)
    np.testing.assert_array_equal(constant.reshape((6,)).values, constant.values.reshape(6))


def test_zero_points_of_constants_are_subtracted():
    integers = np.array([[1, 200]], np.uint8)
    call = dequantize(relax.const(integers), np.float32(1), np.uint8(128))
    np.testing.assert_array_equal(read_constant(call, {}).integers, [[-127, 72]])


def test_views_of_constants():
    integers = np.arange(6, dtype=np.int8).reshape(2, 3)
    var = relax.Var("w", relax.TensorType((2, 3), "float32"))
    known = {var: read_constant(dequantize(relax.const(integers), np.float32(1), np.int8(0)), {})}
    builder = relax.BlockBuilder()
    for view, expected in [
        (relax.op.permute_dims(var), integers.T),
        (relax.op.permute_dims(var, [1, 0]), integers.T),
        (relax.op.reshape(var, (3, 2)), integers.reshape(3, 2)),
    ]:
        view = builder.normalize(view)
        np.testing.assert_array_equal(read_constant(view, known).integers, expected)
    assert read_constant(relax.op.reshape(variable("float32"), (48,)), known) is None
