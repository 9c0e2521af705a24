import pytest

from te_schedules.cpu.odd_lines import odd_lines


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("count", [1, 16, 17, 63, 64, 65, 1024, 4095])
def test_it_is_the_least_odd_number_of_lines_that_holds_them(count, size):
    lines, rest = divmod(odd_lines(count, size) * size, 64)
    assert rest == 0
    assert lines % 2 == 1
    assert lines * 64 >= count * size > (lines - 2) * 64


def test_as_many_things_as_a_cache_has_sets_begin_in_different_ones():
    step = odd_lines(1024, 4) * 4
    assert len({i * step // 64 % 64 for i in range(64)}) == 64
