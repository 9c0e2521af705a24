import numpy as np

from te_schedules.cpu.int8.staged_residual import staged_residual
from te_schedules.cpu.vector_code import VectorCode
from tests.te_schedules.cpu.int8.int8_reference import random_bytes
from tests.te_schedules.cpu.int8.tile_samples import run_part


def test_bytes_become_numbers_in_the_order_of_the_sums():
    order, data = [0, 4, 1, 5, 2, 6, 3, 7], random_bytes(20)

    def body(data, output) -> None:
        for v, vector in enumerate(staged_residual((data, 3), order, 4)):
            VectorCode(4, "int32").store(output, vector, 4 * v)

    found = run_part(body, [data], np.zeros(8, np.int32))
    np.testing.assert_array_equal(found[order], data[3:11])
