import itertools

import pytest

from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.shared_tile import BANKS, SharedTile
from te_schedules.window import Window

WINDOWS = [
    Window((3, 3)),
    Window((3, 3), stride=(2, 2)),
    Window((5, 3), dilation=(2, 1)),
    Window((1, 1), stride=(1, 2)),
]
SCHEDULES = [
    GpuSchedule(lanes_x=8, rows=7, warps=1, window=1),
    GpuSchedule(lanes_x=32, rows=3, warps=1, window=1),
    GpuSchedule(lanes_x=14, rows=4, warps=1, window=1),
]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_input_has_a_place_of_its_own(window, schedule):
    tile = SharedTile.of(window, schedule)
    rows, columns = (range(n) for n in tile.size)
    places = [tile.row(y) + tile.column(x) for y, x in itertools.product(rows, columns)]
    assert len(set(places)) == len(places)
    assert min(places) == 0
    assert max(places) < tile.channel


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_lane_finds_its_inputs(window, schedule):
    tile = SharedTile.of(window, schedule)
    for lane, tap in itertools.product((0, 5, schedule.lanes_x + 3), (0, window.taps[1] - 1)):
        strip, x = lane // schedule.lanes_x, lane % schedule.lanes_x
        if strip >= schedule.strips:
            continue
        row = strip * schedule.rows * window.stride[0]
        column = x * window.stride[1] + tap * window.dilation[1]
        own = tile.lane(strip, x) + tile.column(tap * window.dilation[1])
        assert own == tile.row(row) + tile.column(column)


@pytest.mark.parametrize("lanes_x", [4, 8, 16, 32])
@pytest.mark.parametrize("stride", [1, 2])
def test_lanes_read_from_different_banks(lanes_x, stride):
    schedule = GpuSchedule(lanes_x=lanes_x, rows=7, warps=1, window=1)
    tile = SharedTile.of(Window((3, 3), stride=(stride, stride)), schedule)
    lanes = [tile.lane(lane // lanes_x, lane % lanes_x) % BANKS for lane in range(32)]
    assert len(set(lanes)) == 32


def test_pairs_of_columns_are_aligned():
    schedule = GpuSchedule(lanes_x=7, rows=3, columns=2, warps=1, window=1)
    tile = SharedTile.of(Window((3, 3)), schedule)
    assert tile.pitch % 2 == tile.skew % 2 == tile.channel % 2 == 0
