from te_schedules.gpu.conv2d_schedule import GpuSchedule


def test_a_warp_covers_a_tile():
    schedule = GpuSchedule(lanes_x=14, rows=7, columns=2, warps=8, groups=2, window=4)
    assert schedule.strips == 2  # and four lanes without work
    assert schedule.tile == (14, 28)
    assert schedule.threads == 256
    assert schedule.block_groups == 16


def test_tiles_cover_the_plane():
    schedule = GpuSchedule(lanes_x=8, rows=7, warps=8, window=4)
    assert schedule.tile == (28, 8)
    assert schedule.tiles((56, 56)) == (2, 7)
    assert schedule.tiles((57, 57)) == (3, 8)
