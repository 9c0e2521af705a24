import numpy as np
import pytest

from te_schedules.cpu.int8.look_up_planes import BYTES, look_up_planes
from tests.te_schedules.cpu.int8.int8_reference import random_bytes, run_bytes, to_stored


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 3, 2, 20), (2, 5, 1, 1), (1, 9)])
def test_each_byte_becomes_that_of_the_table(shape):
    data, table = random_bytes(*shape), random_bytes(BYTES, seed=1)
    found = run_bytes(look_up_planes(shape), to_stored(data), table, shape=shape)
    np.testing.assert_array_equal(found, table[data])
