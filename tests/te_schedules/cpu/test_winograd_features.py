import math
from dataclasses import replace

import pytest

from te_schedules.cost_feature import COST, cost_feature
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.winograd_cost import winograd_cycles
from te_schedules.cpu.winograd_features import winograd_features
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.lane_kernels import ConvCase, random_array

GEOMETRY = ConvCase(weight=random_array(24, 16, 3, 3), size=(14, 14)).geometry()


def features(**changes) -> dict[str, float]:
    point = {"rows": 2, "vectors": 2, "group": 4, "together": 2, "units": 2, **changes}
    made = Conv2dConfiguration(sparse=False, schedule=WinogradSchedule(**point))
    return winograd_features(made, GEOMETRY, CPU)


def test_configurations_that_differ_are_told_apart():
    plain = features()
    for name in ("rows", "group", "together", "chunks"):
        other = features(**{name: 1 if name != "chunks" else 3})
        assert other[name] != plain[name]
        assert other.keys() == plain.keys()


def test_none_is_negative_as_records_have_no_such_numbers():
    assert min(features().values()) >= 0


def test_the_cost_is_that_of_the_busiest_thread():
    schedule = WinogradSchedule(rows=2, vectors=4, group=4, together=1, units=1)
    point = Conv2dConfiguration(sparse=False, schedule=schedule)
    found = winograd_features(point, GEOMETRY, replace(CPU, num_cores=3))
    four_of_six = math.log2(1 + 6 / 4)
    assert found["idle"] == pytest.approx(four_of_six, abs=1e-4)
    total = winograd_cycles(GEOMETRY, schedule, CPU)
    assert found[COST] == cost_feature(total * 6 / 4)
