import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import Split, best_split
from te_schedules.cpu.relayout import gather_planes, relayout_table
from tests.te_schedules.cpu.lane_kernels import random_array, run_kernel

SIZES = st.integers(1, 24)
HALOS = st.builds(Halo, **{side: st.integers(0, 4) for side in ("top", "left", "bottom", "right")})


def other_split(height: int, width: int, lanes: int) -> LaneLayout:
    """All lanes along the rows."""
    split = Split(
        height=height,
        width=width,
        lanes_y=1,
        lanes_x=lanes,
        vectors_y=height,
        vectors_x=-(-width // lanes),
    )
    return LaneLayout(split, Halo(left=1, right=1))


def stored(layout: LaneLayout | None, planes: np.ndarray) -> np.ndarray:
    return layout.pack(planes) if layout else planes.reshape(*planes.shape[:2], -1)


def moved(held: np.ndarray, table: np.ndarray) -> np.ndarray:
    places = table.astype(int)
    return np.where(places == 0, 0, held[:, :, places - 1])


@settings(deadline=None)
@given(SIZES, SIZES, st.sampled_from([4, 8, 16]), HALOS, st.integers(0, 3))
def test_the_table_takes_any_layout_to_any_other(height, width, lanes, halo, way):
    planes = np.arange(1, height * width + 1, dtype=np.float32).reshape(1, 1, height, width)
    lane = LaneLayout(best_split(height, width, lanes), halo)
    other = other_split(height, width, lanes)
    source, target = [(None, lane), (lane, None), (lane, other), (other, lane)][way]
    table = relayout_table(source, target)
    assert np.array_equal(moved(stored(source, planes), table), stored(target, planes))


@pytest.mark.parametrize(
    ("size", "dtype"), [((255, 257), "uint16"), ((256, 256), "int32"), ((300, 300), "int32")]
)
def test_places_take_16_bits_where_they_fit(size, dtype):
    planes = np.arange(1, size[0] * size[1] + 1, dtype=np.float32).reshape(1, 1, *size)
    layout = LaneLayout(best_split(*size, 8))
    table = relayout_table(None, layout)
    assert table.dtype == dtype
    assert np.array_equal(moved(stored(None, planes), table), layout.pack(planes))


def test_a_relayout_without_lanes_is_declined():
    with pytest.raises(ValueError, match="needs a lane-blocked layout on one side"):
        relayout_table(None, None)


@pytest.mark.parametrize("way", ["in", "out", "between"])
def test_the_kernel_moves_planes(way):
    layout, other = LaneLayout(best_split(5, 9, 8), Halo(top=1, right=2)), other_split(5, 9, 8)
    source, target = {"in": (None, layout), "out": (layout, None), "between": (layout, other)}[way]
    planes = random_array(2, 3, 5, 9)
    held, table = stored(source, planes), relayout_table(source, target)
    func = gather_planes(2, 3, held.shape[2], table)
    got = run_kernel(func, [held, table], (2, 3, len(table)))
    assert np.array_equal(got, stored(target, planes))
