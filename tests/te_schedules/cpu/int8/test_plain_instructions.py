import pytest

from te_schedules.cpu.int8.plain_instructions import plain
from tests.te_schedules.cpu.int8.dots import assert_dot


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_sums_are_exact(lanes):
    assert_dot(plain(lanes, 16))


def test_there_is_no_permutation():
    assert plain(8, 16).reach == 0
    assert plain(8, 16).permute is None
