import dataclasses

import pytest

from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer


def test_bands_go_with_single_tiles():
    """The sums of one tile wait in memory between two bands."""
    for outer in (Outer.ROW, Outer.PLANE):
        with pytest.raises(ValueError, match="band=4: needs outer=Outer.TILE, got"):
            Conv2dSchedule(rows=1, vectors=1, band=4, outer=outer)


def test_copied_inputs_go_with_single_tiles():
    for outer in (Outer.ROW, Outer.PLANE):
        with pytest.raises(ValueError, match="copy_inputs=True: needs outer=Outer.TILE, got"):
            Conv2dSchedule(rows=1, vectors=1, copy_inputs=True, outer=outer)


def test_the_simplest_schedule_is_one_filter_and_one_tile_at_a_time():
    schedule = Conv2dSchedule(rows=2, vectors=3)
    assert (schedule.group, schedule.hold, schedule.outer) == (1, Hold.WEIGHTS, Outer.TILE)
    assert (schedule.band, schedule.chunks, schedule.copy_inputs) == (None, 1, False)


@pytest.mark.parametrize("outer", Outer)
def test_a_plane_is_finished_before_the_next_only_if_it_is_computed_whole(outer):
    schedule = Conv2dSchedule(rows=1, vectors=1, outer=outer)
    assert schedule.whole_planes == (outer is Outer.PLANE)


def test_schedules_are_values():
    schedule = Conv2dSchedule(rows=2, vectors=2)
    assert len({schedule, Conv2dSchedule(rows=2, vectors=2)}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedule.rows = 3
