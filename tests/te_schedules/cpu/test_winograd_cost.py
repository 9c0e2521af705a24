import pytest

from te_schedules.cpu.winograd_cost import winograd_cycles, winograd_registers
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.lane_kernels import ConvCase, random_array


def cycles(channels=64, size=(28, 28), lanes=8, **changes) -> float:
    schedule = {"rows": 4, "vectors": 2, "group": 4, "together": 3, "units": 2, **changes}
    case = ConvCase(weight=random_array(channels, channels, 3, 3), size=size, lanes=lanes)
    return winograd_cycles(case.geometry(), WinogradSchedule(**schedule), CPU)


@pytest.mark.parametrize("larger", [{"channels": 128}, {"size": (56, 56)}])
def test_more_work_costs_more(larger):
    assert cycles(**larger) > 1.5 * cycles()


@pytest.mark.parametrize(
    "worse",
    [
        {"together": 1},  # loads of weights that are used once
        {"rows": 1, "vectors": 2},  # more products
        {"chunks": 4},  # inputs that each thread transforms
    ],
)
def test_what_wastes_costs_more(worse):
    assert cycles(**worse) > cycles()


def test_a_window_that_moves_by_two_has_four_phases():
    """It costs no less than its phases, of 3 and 4 taps, as channels."""
    point = WinogradSchedule(rows=3, vectors=4, group=4, together=3, units=2)
    of_window = {"weight": random_array(64, 3, 7, 7), "size": (56, 56), "padding": (3,) * 4}
    of_phases = {"weight": random_array(64, 12, 4, 4), "size": (28, 28), "padding": (2, 2, 1, 1)}
    window, phases = (
        winograd_cycles(ConvCase(**case).geometry(), point, CPU)
        for case in ({**of_window, "stride": (2, 2)}, of_phases)
    )
    assert phases == pytest.approx(window, rel=0.01)


def test_tiles_that_are_computed_twice_cost_more():
    assert cycles(units=4) > cycles(units=5)  # of five


def test_registers_are_those_of_the_products():
    schedule = WinogradSchedule(rows=4, vectors=4, group=4, together=3, units=1)
    assert winograd_registers(schedule) == 16
