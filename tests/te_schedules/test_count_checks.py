import pytest

from te_schedules.count_checks import check_counts


def test_counts_of_a_size_that_occurs_pass():
    check_counts({"rows": 1, "tile": 1 << 16})


@pytest.mark.parametrize("value", [0, -1, (1 << 16) + 1, 2.0, True, "2", None])
def test_what_is_no_such_count(value):
    with pytest.raises(ValueError, match="tile is .*, expected a whole number from 1 to 65536"):
        check_counts({"rows": 4, "tile": value})
