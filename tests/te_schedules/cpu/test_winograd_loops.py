import numpy as np
import pytest

from tests.te_schedules.cpu.winograd_case import small_case


@pytest.mark.parametrize(
    "shared", [{"units": 1}, {"units": 2}, {"chunks": 3}, {"units": 2, "chunks": 2}]
)
def test_how_work_is_shared_out_changes_no_bit(shared):
    assert np.array_equal(small_case(**shared).run(), small_case().run(), equal_nan=True)


def test_the_numbers_are_right():
    small_case().check()
