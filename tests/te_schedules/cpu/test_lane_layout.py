import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from te_schedules.cpu.lane_layout import Halo, LaneLayout, best_layout

LANES = st.sampled_from([4, 8, 16])
SIZES = st.integers(1, 40)
HALOS = st.builds(Halo, **{side: st.integers(0, 5) for side in ("top", "left", "bottom", "right")})


def numbered(height: int, width: int) -> np.ndarray:
    """Planes (2, 3, height, width) of values that all differ, none of them 0."""
    return np.arange(1, 6 * height * width + 1, dtype=np.float32).reshape(2, 3, height, width)


@settings(deadline=None)
@given(SIZES, SIZES, LANES, HALOS)
def test_planes_are_packed_and_read_back(height, width, lanes, halo):
    layout = best_layout(height, width, lanes).with_halo(halo)
    planes = numbered(height, width)
    stored = layout.pack(planes)
    assert stored.shape == layout.shape(2, 3)
    assert stored.dtype == np.float32
    assert np.array_equal(layout.unpack(stored), planes)


@settings(deadline=None)
@given(SIZES, SIZES, LANES, HALOS, st.data())
def test_a_lane_is_a_block_and_a_vector_one_value_of_each(height, width, lanes, halo, data):
    layout = best_layout(height, width, lanes).with_halo(halo)
    stored = layout.pack(numbered(height, width))[1, 2]
    row = data.draw(st.integers(-halo.top, layout.steps_y + halo.bottom - 1))
    column = data.draw(st.integers(-halo.left, layout.steps_x + halo.right - 1))
    start = layout.offset(row, column)
    assert start % lanes == 0
    for lane, value in enumerate(stored[start : start + lanes]):
        y = lane // layout.lanes_x * layout.steps_y + row
        x = lane % layout.lanes_x * layout.steps_x + column
        inside = 0 <= y < height and 0 <= x < width
        assert value == (numbered(height, width)[1, 2, y, x] if inside else 0)


@settings(deadline=None)
@given(SIZES, SIZES, LANES, HALOS)
def test_every_value_of_the_plane_is_stored_once_without_a_halo(height, width, lanes, halo):
    layout = best_layout(height, width, lanes)
    index = layout.source_index()
    assert index.dtype == np.int32
    assert len(index) == layout.plane_values
    assert sorted(index[index >= 0]) == list(range(height * width))
    assert set(layout.with_halo(halo).source_index()) <= {-1, *range(height * width)}


@given(SIZES, SIZES, LANES)
def test_no_split_has_fewer_vectors_than_the_best(height, width, lanes):
    best = best_layout(height, width, lanes)
    assert best.lanes == lanes
    for lanes_y in (n for n in range(1, lanes + 1) if lanes % n == 0):
        steps = -(-height // lanes_y) * -(-width // (lanes // lanes_y))
        assert best.steps_y * best.steps_x <= steps


def test_of_equal_splits_the_squarest_is_best():
    layout = best_layout(56, 56, 16)
    assert (layout.lanes_y, layout.lanes_x) == (4, 4)
    assert (layout.steps_y, layout.steps_x) == (14, 14)
    assert layout.is_exact


@given(SIZES, SIZES, LANES)
def test_a_layout_is_exact_when_no_lane_is_wasted(height, width, lanes):
    layout = best_layout(height, width, lanes)
    assert layout.is_exact == (layout.steps_y * layout.steps_x * lanes == height * width)


@given(SIZES, SIZES, LANES, HALOS)
def test_planes_take_an_odd_number_of_vectors(height, width, lanes, halo):
    layout = best_layout(height, width, lanes).with_halo(halo)
    assert layout.plane_vectors % 2 == 1
    assert layout.plane_vectors - layout.rows * layout.row_vectors in (0, 1)


@given(HALOS, HALOS)
def test_the_union_of_halos_covers_both_and_no_more(one, other):
    union = one.union(other)
    assert union.covers(one)
    assert union.covers(other)
    assert union == other.union(one)
    assert one.covers(other) == (union == one)


def test_the_split_is_the_same_whatever_the_halo():
    layout = best_layout(9, 7, 8)
    assert layout.same_split(layout.with_halo(Halo(top=1)))
    assert not layout.same_split(best_layout(9, 8, 8))


def test_a_layout_that_does_not_hold_its_plane_is_declined():
    with pytest.raises(ValueError, match=r"does not hold a plane of 9x4"):
        LaneLayout(height=9, width=4, lanes_y=4, lanes_x=1, steps_y=2, steps_x=4)
