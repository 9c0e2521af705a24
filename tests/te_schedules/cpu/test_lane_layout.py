import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import best_split

LANES = st.sampled_from([4, 8, 16])
SIZES = st.integers(1, 40)
HALOS = st.builds(Halo, **{side: st.integers(0, 5) for side in ("top", "left", "bottom", "right")})


def numbered(height: int, width: int) -> np.ndarray:
    """Planes (2, 3, height, width) of values that all differ, none of them 0."""
    return np.arange(1, 6 * height * width + 1, dtype=np.float32).reshape(2, 3, height, width)


@settings(deadline=None)
@given(SIZES, SIZES, LANES, HALOS)
def test_planes_are_packed_and_read_back(height, width, lanes, halo):
    layout = LaneLayout(best_split(height, width, lanes), halo)
    planes = numbered(height, width)
    stored = layout.pack(planes)
    assert stored.shape == layout.shape(2, 3)
    assert stored.dtype == np.float32
    assert np.array_equal(layout.unpack(stored), planes)


@settings(deadline=None)
@given(SIZES, SIZES, LANES, HALOS, st.data())
def test_a_lane_is_a_block_and_a_vector_one_value_of_each(height, width, lanes, halo, data):
    layout = LaneLayout(best_split(height, width, lanes), halo)
    stored = layout.pack(numbered(height, width))[1, 2]
    row = data.draw(st.integers(-halo.top, layout.vectors_y + halo.bottom - 1))
    column = data.draw(st.integers(-halo.left, layout.vectors_x + halo.right - 1))
    start = layout.offset(row, column)
    assert start % lanes == 0
    for lane, value in enumerate(stored[start : start + lanes]):
        y = lane // layout.lanes_x * layout.vectors_y + row
        x = lane % layout.lanes_x * layout.vectors_x + column
        inside = 0 <= y < height and 0 <= x < width
        assert value == (numbered(height, width)[1, 2, y, x] if inside else 0)


@settings(deadline=None)
@given(SIZES, SIZES, LANES, HALOS)
def test_every_value_of_the_plane_is_stored_once_without_a_halo(height, width, lanes, halo):
    layout = LaneLayout(best_split(height, width, lanes))
    index = layout.source_index()
    assert index.dtype == np.int32
    assert len(index) == layout.plane_values
    assert sorted(index[index >= 0]) == list(range(height * width))
    assert set(layout.with_halo(halo).source_index()) <= {-1, *range(height * width)}


@given(SIZES, SIZES, LANES, HALOS)
def test_planes_take_an_odd_number_of_vectors(height, width, lanes, halo):
    layout = LaneLayout(best_split(height, width, lanes), halo)
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
    layout = LaneLayout(best_split(9, 7, 8))
    assert layout.with_halo(Halo(top=1)) == LaneLayout(layout.split, Halo(top=1))
    assert layout.with_halo(Halo(top=1)) != layout
