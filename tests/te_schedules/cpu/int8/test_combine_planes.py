import numpy as np
import pytest

from te_schedules.cpu.int8.byte_code import StoredRange, Term
from te_schedules.cpu.int8.combine_planes import join_planes, sum_planes
from te_schedules.cpu.int8.enlarge_planes import enlarge_planes
from te_schedules.cpu.int8.mean_of_planes import mean_of_planes
from tests.te_schedules.cpu.int8.int8_reference import random_bytes, run_bytes, to_stored

STORED = StoredRange(zero=40, low=41, high=200)
SHAPES = [(2, 3, 5, 7), (1, 2, 4, 8), (2, 33, 1, 1), (2, 40)]


def numbers(data: np.ndarray, term: Term) -> np.ndarray:
    return (data.astype(np.float64) - term.zero) * term.scale


def rounded(steps: np.ndarray, stored: StoredRange = STORED) -> np.ndarray:
    return np.clip(np.rint(steps) + stored.zero, stored.low, stored.high)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_sums(shape, count):
    data = [random_bytes(*shape, seed=i) for i in range(count)]
    terms = [Term(scale=0.3137 + 0.1 * i, zero=10 * i) for i in range(count)]
    expected = rounded(sum(numbers(d, t) for d, t in zip(data, terms, strict=True)))
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


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 2, 3, 1), (1, 3, 2, 20), (1, 5, 1, 1)])
@pytest.mark.parametrize("repeat", [2, 3])
@pytest.mark.parametrize("scale", [1.0, 0.3137])
def test_planes_are_enlarged(shape, repeat, scale):
    data, term, stored = random_bytes(*shape), Term(scale=scale, zero=40), StoredRange(zero=40)
    expected = rounded(numbers(data, term), stored).repeat(repeat, axis=2).repeat(repeat, axis=3)
    func = enlarge_planes(shape, repeat, term, stored)
    found = run_bytes(func, to_stored(data), shape=expected.shape)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 2, 4, 8), (2, 33, 1, 3)])
def test_means(shape):
    data, term = random_bytes(*shape), Term(scale=0.3137, zero=10)
    func = mean_of_planes(shape, term, STORED)
    expected = rounded(numbers(data, term).mean((2, 3)))
    np.testing.assert_array_equal(run_bytes(func, to_stored(data), shape=shape[:2]), expected)
