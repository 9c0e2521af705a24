import pytest

from te_schedules.gpu.block_loads import LoadPlan
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.shared_tile import SharedTile
from te_schedules.window import Window


def plan(schedule: GpuSchedule) -> LoadPlan:
    return LoadPlan.of(SharedTile.of(Window((3, 3)), schedule), schedule)


def test_a_large_tile_takes_several_values_of_each_thread():
    schedule = GpuSchedule(lanes_x=32, rows=7, warps=4, window=6)
    found = plan(schedule)
    assert (found.values, found.slots, found.abreast, found.rounds) == (9 * 34, 3, 1, 6)
    assert found.registers == 18


@pytest.mark.parametrize(("window", "abreast"), [(6, 3), (4, 4), (5, 1)])
def test_several_channels_of_a_small_tile_are_loaded_at_once(window, abreast):
    schedule = GpuSchedule(lanes_x=4, rows=1, warps=8, window=window)
    found = plan(schedule)
    assert found.values == 60
    assert found.abreast == abreast
    assert found.rounds * found.abreast == window
    assert found.slots == 1


def test_every_value_has_a_thread():
    for warps, rows in [(1, 1), (2, 5), (8, 3), (16, 2)]:
        found = plan(GpuSchedule(lanes_x=8, rows=rows, warps=warps, window=4))
        assert found.slots * 32 * warps >= found.values * found.abreast
