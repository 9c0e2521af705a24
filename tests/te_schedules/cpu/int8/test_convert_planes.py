import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.byte_code import StoredRange, Term
from te_schedules.cpu.int8.convert_planes import (
    dequantize_planes,
    flatten_planes,
    plain_bytes,
    quantize_planes,
    stored_bytes,
)
from tests.te_schedules.cpu.int8.int8_reference import random_bytes, run_bytes, to_stored
from tests.te_schedules.cpu.lane_kernels import compiled

SHAPES = [(2, 3, 5, 7), (1, 2, 4, 8), (1, 3, 1, 5), (2, 33, 1, 1), (3, 40), (1, 1, 1, 1)]


def plain(tensor: np.ndarray) -> np.ndarray:
    return tensor.reshape(*to_stored(tensor.astype(np.uint8)).shape[:2], -1)


def run_plain(func, data: np.ndarray, like: np.ndarray) -> np.ndarray:
    output = tvm.runtime.tensor(np.zeros_like(plain(like)))
    compiled(func).jit()["main"](tvm.runtime.tensor(data), output)
    return output.numpy().reshape(like.shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_numbers_are_rounded_half_to_even_and_clipped(shape):
    halves = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 2 - 9
    func = quantize_planes(shape, 1.0, StoredRange(zero=3, high=20))
    expected = np.clip(np.rint(halves) + 3, 0, 20)
    np.testing.assert_array_equal(run_bytes(func, plain(halves), shape=shape), expected)


def test_numbers_are_divided_by_the_scale():
    numbers = np.random.default_rng(0).standard_normal((1, 3, 20, 20), np.float32)
    func = quantize_planes(numbers.shape, 0.013, StoredRange(zero=130))
    expected = np.clip(np.rint(numbers / np.float32(0.013)) + 130, 0, 255)
    np.testing.assert_array_equal(run_bytes(func, plain(numbers), shape=numbers.shape), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_bytes_become_numbers(shape):
    data = random_bytes(*shape)
    expected = (data.astype(np.float32) - 7) * np.float32(0.37)
    func = dequantize_planes(shape, Term(scale=0.37, zero=7))
    np.testing.assert_array_equal(run_plain(func, to_stored(data), expected), expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_bytes_are_copied_to_the_plain_order_and_back(shape, dtype):
    data = random_bytes(*shape)
    signed = (data.astype(int) - 128).astype(np.int8) if dtype == "int8" else data
    func = plain_bytes(shape, dtype)
    np.testing.assert_array_equal(run_plain(func, to_stored(data), signed), signed)
    back = stored_bytes(shape, dtype)
    np.testing.assert_array_equal(run_bytes(back, plain(signed), shape=shape), data)


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 2, 4, 8), (2, 20, 1, 3)])
def test_planes_become_one(shape):
    data = random_bytes(*shape)
    flat = data.reshape(shape[0], -1)
    found = run_bytes(flatten_planes(shape), to_stored(data), shape=flat.shape)
    np.testing.assert_array_equal(found, flat)
