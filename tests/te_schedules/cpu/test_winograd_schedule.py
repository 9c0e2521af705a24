from te_schedules.cpu.winograd_schedule import WinogradSchedule

POINT = {"group": 4, "together": 2, "units": 3}


def test_a_tile_of_one_vector_transforms_nothing():
    assert not WinogradSchedule(rows=1, vectors=1, **POINT).transforms
    assert WinogradSchedule(rows=1, vectors=2, **POINT).transforms


def test_planes_are_never_finished_one_by_one():
    assert not WinogradSchedule(rows=4, vectors=4, **POINT).whole_planes
