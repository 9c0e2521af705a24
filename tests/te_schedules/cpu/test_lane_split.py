import pytest
from hypothesis import given
from hypothesis import strategies as st

from te_schedules.cpu.lane_split import Split, best_split

LANES = st.sampled_from([4, 8, 16])
SIZES = st.integers(1, 40)


@given(SIZES, SIZES, LANES)
def test_no_split_has_fewer_vectors_than_the_best(height, width, lanes):
    best = best_split(height, width, lanes)
    assert best.lanes == lanes
    for lanes_y in (n for n in range(1, lanes + 1) if lanes % n == 0):
        vectors = -(-height // lanes_y) * -(-width // (lanes // lanes_y))
        assert best.vectors == best.vectors_y * best.vectors_x <= vectors


def test_a_square_split():
    split = best_split(56, 56, 16)
    assert (split.lanes_y, split.lanes_x) == (4, 4)
    assert (split.vectors_y, split.vectors_x) == (14, 14)
    assert split.is_exact


@pytest.mark.parametrize(
    ("size", "lanes", "vectors"),
    [
        (14, 8, (2, 14)),  # not 7 x 4, which no stride of 2 halves
        (28, 8, (7, 14)),  # not 14 x 7: as square, and higher
        (28, 16, (7, 7)),
        (56, 8, (14, 28)),
        (14, 16, (2, 7)),
        (7, 8, (1, 7)),
    ],
)
def test_of_equal_splits_one_that_can_be_halved_then_the_squarest_then_the_wider_is_best(
    size, lanes, vectors
):
    split = best_split(size, size, lanes)
    assert (split.vectors_y, split.vectors_x) == vectors


@given(SIZES, SIZES, LANES)
def test_a_split_is_exact_when_no_lane_is_wasted(height, width, lanes):
    split = best_split(height, width, lanes)
    assert split.is_exact == (split.vectors_y * split.vectors_x * lanes == height * width)


def test_a_split_that_does_not_hold_its_plane_is_declined():
    with pytest.raises(ValueError, match=r"does not hold a plane of 9x4"):
        Split(height=9, width=4, lanes_y=4, lanes_x=1, vectors_y=2, vectors_x=4)
