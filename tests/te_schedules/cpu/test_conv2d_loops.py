import numpy as np
import pytest

from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from tests.te_schedules.cpu.count_loads import count_loads
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight

W53 = pattern_weight(5, 3)


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize(("rows", "vectors"), [(1, 1), (2, 2), (5, 3), (3, 1)])
def test_tiles_that_divide_the_plane_and_that_do_not(rows, vectors, hold):
    schedule = Conv2dSchedule(rows=rows, vectors=vectors, hold=hold)
    case = ConvCase(weight=W53, schedule=schedule)
    assert (case.out_layout().vectors_y, case.out_layout().vectors_x) == (5, 3)
    case.check()


@pytest.mark.parametrize("outer", Outer)
@pytest.mark.parametrize("chunks", [1, 2, 9])
def test_work_is_shared_out_by_blocks_of_the_plane_and_chunks_of_filters(chunks, outer):
    schedule = Conv2dSchedule(rows=2, vectors=2, outer=outer, chunks=chunks)
    ConvCase(weight=W53, batch=2, schedule=schedule).check()


@pytest.mark.parametrize(("rows", "vectors"), [(2, 2), (2, 3), (5, 2), (3, 3)])
def test_where_tiles_overlap_most_of_it_is_computed_once(rows, vectors):
    """Columns that overlap are computed once; rows that do, where columns do not."""
    case = ConvCase(weight=W53, schedule=Conv2dSchedule(rows=rows, vectors=vectors))
    whole = ConvCase(weight=W53, schedule=Conv2dSchedule(rows=1, vectors=1))
    computed, needed = (
        count_loads(each.func(), list(each.kernel().constants.values())).products
        for each in (case, whole)
    )
    row_overlap = -(-5 // rows) * rows / 5 if 3 % vectors else 1
    assert computed == pytest.approx(needed * row_overlap)


def test_images_of_a_batch_do_not_mix():
    case = ConvCase(weight=W53, batch=3, schedule=Conv2dSchedule(rows=2, vectors=2, chunks=2))
    data = case.data
    data[1] = 0
    result = case.out_layout().unpack(case.run(data))
    assert not result[1].any()
    assert np.abs(result[[0, 2]]).max() > 0
