import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import best_split, splits
from te_schedules.cpu.relayout import relayout
from tests.te_schedules.cpu.lane_kernels import random_array, run_kernel

SIZES = st.integers(1, 40)
HALOS = st.builds(Halo, **{side: st.integers(0, 4) for side in ("top", "left", "bottom", "right")})


def stored(layout: LaneLayout | None, planes: np.ndarray) -> np.ndarray:
    return layout.pack(planes) if layout else planes.reshape(*planes.shape[:2], -1)


def check(source: LaneLayout | None, target: LaneLayout | None, planes: np.ndarray) -> None:
    """Whatever lies in the source's halo and behind it, values and zeros are where they belong."""
    held, expected = stored(source, planes), stored(target, planes)
    if source is not None:
        kept = np.zeros(held.shape[2] // source.lanes, bool)
        rows = np.arange(source.vectors_y) + source.halo.top
        columns = np.arange(source.vectors_x) + source.halo.left
        kept[(rows[:, None] * source.row_vectors + columns).reshape(-1)] = True
        held = np.where(kept.repeat(source.lanes), held, np.nan).astype(np.float32)
    got = run_kernel(relayout(*planes.shape[:2], source, target), [held], expected.shape)
    used = target.rows * target.row_vectors * target.lanes if target else expected.shape[2]
    assert np.array_equal(got[..., :used], expected[..., :used])  # behind it no one reads


@settings(deadline=None, max_examples=25)
@given(SIZES, SIZES, st.sampled_from([4, 8, 16]), HALOS, HALOS, st.integers(0, 2), st.randoms())
def test_any_layout_is_taken_to_any_other(height, width, lanes, halo, other_halo, way, random):
    planes = np.arange(1, height * width + 1, dtype=np.float32).reshape(1, 1, height, width)
    ways = splits(height, width, lanes)
    lane = LaneLayout(random.choice(ways), halo)
    other = LaneLayout(random.choice(ways), other_halo)
    check(*[(None, lane), (lane, None), (lane, other)][way], planes)


def test_a_relayout_without_lanes_is_declined():
    with pytest.raises(ValueError, match="needs a lane-blocked layout on one side"):
        relayout(1, 1, None, None)


@pytest.mark.parametrize("way", ["in", "out", "between"])
@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("size", [(5, 9), (56, 56), (33, 70)])
def test_planes_of_several_images_are_moved(size, lanes, way):
    layout = LaneLayout(best_split(*size, lanes), Halo(top=1, right=2))
    other = LaneLayout(splits(*size, lanes)[0], Halo(left=1, right=1))
    source, target = {"in": (None, layout), "out": (layout, None), "between": (layout, other)}[way]
    check(source, target, random_array(2, 3, *size))
