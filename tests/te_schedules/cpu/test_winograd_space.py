from dataclasses import replace

import pytest

from te_schedules.cpu.winograd_cost import winograd_cycles, winograd_registers
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from te_schedules.cpu.winograd_space import choose_winograd, fits_winograd, winograd_schedules
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.lane_kernels import ConvCase, random_array

WINDOW = ConvCase(weight=random_array(24, 16, 3, 3), size=(14, 14)).geometry()
POINT = ConvCase(weight=random_array(24, 16, 1, 1), size=(14, 14), padding=(0,) * 4).geometry()
STRIDED = {"stride": (2, 2), "size": (14, 14)}
FIRST = ConvCase(
    weight=random_array(24, 3, 7, 7), size=(56, 56), stride=(2, 2), padding=(3,) * 4
).geometry()
SMALL = WinogradSchedule(rows=2, vectors=2, group=4, together=2, units=1)


@pytest.mark.parametrize("geometry", [WINDOW, FIRST, POINT], ids=["3x3", "7x7/2", "1x1"])
def test_every_schedule_fits(geometry):
    points = list(winograd_schedules(geometry, CPU))
    assert len(points) == len(set(points)) > 10
    for point in points:
        assert winograd_registers(point) <= CPU.registers
        assert fits_winograd(point, geometry)
        assert point.transforms == (geometry is not POINT)


@pytest.mark.parametrize("geometry", [WINDOW, POINT], ids=["3x3", "1x1"])
def test_the_best_is_chosen(geometry):
    found = choose_winograd(geometry, CPU)
    costs = [winograd_cycles(geometry, s, CPU) for s in winograd_schedules(geometry, CPU)]
    assert found is not None
    assert found[1] == min(costs)


def test_other_windows_have_no_schedules():
    for case in (
        ConvCase(weight=random_array(8, 8, 3, 3), dilation=(2, 2), padding=(2,) * 4),
        ConvCase(weight=random_array(8, 8, 9, 9), padding=(4,) * 4),
    ):
        assert choose_winograd(case.geometry(), CPU) is None


@pytest.mark.parametrize(
    ("taps", "stride", "tiles"),
    [
        ((3, 3), (1, 1), {1, 2, 4}),
        ((5, 5), (1, 1), {1, 2, 3}),
        ((7, 7), (2, 2), {1, 3, 4}),  # phases of 3 and 4 taps
        ((3, 3), (2, 2), {1, 2, 3}),
    ],
)
def test_tiles_are_those_that_there_are_points_for(taps, stride, tiles):
    weight, padding = random_array(8, 8, *taps), (taps[0] // 2,) * 4
    case = ConvCase(weight=weight, size=(48, 96), stride=stride, padding=padding)
    points = list(winograd_schedules(case.geometry(), CPU))
    assert {point.rows for point in points} == {point.vectors for point in points} == tiles


def test_an_axis_of_one_tap_is_not_transformed():
    case = ConvCase(weight=random_array(8, 8, 1, 3), padding=(0, 1, 0, 1), size=(14, 40))
    points = list(winograd_schedules(case.geometry(), CPU))
    assert {point.rows for point in points} == {1}
    assert {point.vectors for point in points} == {2, 4}


def test_windows_of_one_tap_may_move_by_any_step():
    case = ConvCase(weight=random_array(8, 8, 1, 1), padding=(0,) * 4, **STRIDED)
    assert choose_winograd(case.geometry(), CPU) is not None


def test_a_plane_of_one_vector_is_not_packed():
    for size, packed in (((2, 2), False), ((4, 4), True)):
        weight = random_array(24, 16, 1, 1)
        case = ConvCase(weight=weight, padding=(0,) * 4, size=size, lanes=8)
        assert (choose_winograd(case.geometry(), CPU) is not None) == packed


@pytest.mark.parametrize(
    "changes",
    [{"rows": 99}, {"vectors": 99}, {"group": 99}, {"units": 99}, {"chunks": 99}, {"together": 99}],
)
def test_schedules_for_larger_layers_do_not_fit(changes):
    assert fits_winograd(SMALL, WINDOW)
    assert not fits_winograd(replace(SMALL, **changes), WINDOW)


def test_tiles_of_several_vectors_do_not_fit_windows_that_are_packed():
    assert not fits_winograd(SMALL, POINT)
