import numpy as np
import pytest

from te_schedules.cpu.int8.byte_code import StoredRange, Term
from te_schedules.cpu.int8.mean_of_planes import mean_of_planes
from tests.te_schedules.cpu.int8.int8_reference import (
    numbers,
    random_bytes,
    rounded,
    run_bytes,
    to_stored,
)


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 2, 4, 8), (2, 33, 1, 3)])
def test_means(shape):
    data, term = random_bytes(*shape), Term(scale=0.3137, zero=10)
    stored = StoredRange(zero=40, low=41, high=200)
    func = mean_of_planes(shape, term, stored)
    expected = rounded(numbers(data, term).mean((2, 3)), stored)
    np.testing.assert_array_equal(run_bytes(func, to_stored(data), shape=shape[:2]), expected)
