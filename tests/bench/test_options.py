import pytest

from tvm_patdnn.bench.options import BenchOptions
from tvm_patdnn.errors import BenchError


@pytest.mark.parametrize("name", ["threads", "repeats", "rounds"])
def test_numbers_are_positive(name):
    with pytest.raises(BenchError, match=f"{name}: got 0, expected at least 1"):
        BenchOptions(**{"threads": 1, name: 0})


def test_repeats_are_spread_over_the_rounds():
    assert BenchOptions(threads=1, repeats=60, rounds=12).repeats_of_a_turn == 5
    assert BenchOptions(threads=1, repeats=13, rounds=12).repeats_of_a_turn == 2


def test_quick_is_less_of_everything():
    quick, usual = BenchOptions.quick(threads=2), BenchOptions(threads=2)
    assert quick.repeats < usual.repeats
    assert quick.rounds < usual.rounds
    assert not quick.thorough
    assert BenchOptions.quick(threads=2, repeats=100).repeats == 100
