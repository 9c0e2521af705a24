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
SMALL = WinogradSchedule(rows=2, vectors=2, group=4, together=2, units=1)


@pytest.mark.parametrize("geometry", [WINDOW, POINT], ids=["3x3", "1x1"])
def test_every_schedule_fits(geometry):
    points = list(winograd_schedules(geometry, CPU))
    assert len(points) == len(set(points)) > 10
    for point in points:
        assert winograd_registers(point) <= CPU.registers
        assert fits_winograd(point, geometry)
        assert point.transforms == (geometry is WINDOW)


@pytest.mark.parametrize("geometry", [WINDOW, POINT], ids=["3x3", "1x1"])
def test_the_best_is_chosen(geometry):
    found = choose_winograd(geometry, CPU)
    costs = [winograd_cycles(geometry, s, CPU) for s in winograd_schedules(geometry, CPU)]
    assert found is not None
    assert found[1] == min(costs)


def test_other_windows_have_no_schedules():
    for case in (
        ConvCase(weight=random_array(8, 8, 3, 3), **STRIDED),
        ConvCase(weight=random_array(8, 8, 3, 3), dilation=(2, 2), padding=(2,) * 4),
        ConvCase(weight=random_array(8, 8, 5, 5), padding=(2,) * 4),
    ):
        assert choose_winograd(case.geometry(), CPU) is None


def test_windows_of_one_tap_may_move_by_any_step():
    case = ConvCase(weight=random_array(8, 8, 1, 1), padding=(0,) * 4, **STRIDED)
    assert choose_winograd(case.geometry(), CPU) is not None


@pytest.mark.parametrize(
    "changes",
    [{"rows": 99}, {"vectors": 99}, {"group": 99}, {"units": 99}, {"chunks": 99}, {"together": 99}],
)
def test_schedules_for_larger_layers_do_not_fit(changes):
    assert fits_winograd(SMALL, WINDOW)
    assert not fits_winograd(replace(SMALL, **changes), WINDOW)


def test_tiles_of_several_vectors_do_not_fit_windows_that_are_packed():
    assert not fits_winograd(SMALL, POINT)
