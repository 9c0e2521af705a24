import numpy as np
import pytest

from te_schedules.cpu.int8.byte_code import StoredRange, Term
from te_schedules.cpu.int8.combine_planes import join_planes, sum_planes
from tests.te_schedules.cpu.int8.int8_reference import (
    numbers,
    random_bytes,
    rounded,
    run_bytes,
    to_stored,
)

STORED = StoredRange(zero=40, low=41, high=200)
SHAPES = [(2, 3, 5, 7), (1, 2, 4, 8), (2, 33, 1, 1), (2, 40)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_sums(shape, count):
    data = [random_bytes(*shape, seed=i) for i in range(count)]
    terms = [Term(scale=0.3137 + 0.1 * i, zero=10 * i) for i in range(count)]
    expected = rounded(sum(numbers(d, t) for d, t in zip(data, terms, strict=True)), STORED)
    func = sum_planes(shape, terms, STORED)
    found = run_bytes(func, *map(to_stored, data), shape=shape)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_channels_are_joined(shape):
    shapes = [shape, (shape[0], 4, *shape[2:])]
    data = [random_bytes(*each) for each in shapes]
    terms = [Term(scale=1.0, zero=40), Term(scale=0.3137, zero=7)]
    stored = StoredRange(zero=40)
    expected = np.concatenate([data[0], rounded(numbers(data[1], terms[1]), stored)], axis=1)
    func = join_planes(shapes, terms, stored)
    found = run_bytes(func, *map(to_stored, data), shape=expected.shape)
    np.testing.assert_array_equal(found, expected)
