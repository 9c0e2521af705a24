import numpy as np
import pytest

from te_schedules.cpu.int8.byte_code import StoredRange, Term
from te_schedules.cpu.int8.enlarge_planes import enlarge_planes
from tests.te_schedules.cpu.int8.int8_reference import (
    numbers,
    random_bytes,
    rounded,
    run_bytes,
    to_stored,
)


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 2, 3, 1), (1, 3, 2, 20), (1, 5, 1, 1)])
@pytest.mark.parametrize("repeat", [2, 3])
@pytest.mark.parametrize("scale", [1.0, 0.3137])
def test_planes_are_enlarged(shape, repeat, scale):
    data, term, stored = random_bytes(*shape), Term(scale=scale, zero=40), StoredRange(zero=40)
    expected = rounded(numbers(data, term), stored).repeat(repeat, axis=2).repeat(repeat, axis=3)
    func = enlarge_planes(shape, repeat, term, stored)
    found = run_bytes(func, to_stored(data), shape=expected.shape)
    np.testing.assert_array_equal(found, expected)
