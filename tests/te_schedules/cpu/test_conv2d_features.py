import math
from dataclasses import replace

import pytest

from te_schedules.cost_feature import COST
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_cost import KernelLists
from te_schedules.cpu.conv2d_features import conv2d_features
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.sparse.patterns import find_patterns

CPU = CpuModel(lanes=8, registers=16, l1_bytes=32 << 10, l2_bytes=1 << 20, num_cores=2)
CASE = ConvCase(weight=pattern_weight(6, 40), size=(9, 17))
SCHEDULE = Conv2dSchedule(rows=1, vectors=2)


def features(schedule: Conv2dSchedule = SCHEDULE, cpu: CpuModel = CPU, *, sparse: bool = True):
    found = find_patterns(CASE.weight)
    lists = KernelLists(patterns=found.patterns, counts=tuple(found.counts), groups=6)
    configuration = Conv2dConfiguration(sparse=sparse, schedule=schedule)
    return conv2d_features(configuration, CASE.geometry(), lists, cpu)


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 2},
        {"vectors": 1},
        {"group": 2},
        {"hold": Hold.INPUTS},
        {"outer": Outer.ROW},
        {"band": 16},
        {"chunks": 2},
    ],
)
def test_every_choice_shows(changes):
    assert features(replace(SCHEDULE, **changes)) != features()


@pytest.mark.parametrize("name", ["lanes", "registers", "l1_bytes", "l2_bytes", "num_cores"])
def test_the_cpu_shows(name):
    assert features(cpu=replace(CPU, **{name: getattr(CPU, name) * 2})) != features()


def test_all_are_numbers_that_records_take():
    assert features(sparse=False) != features()
    assert all(math.isfinite(value) and value >= 0 for value in features().values())
    assert features()["in channels"] == round(math.log2(41), 4)


def test_the_cost_is_that_of_the_busiest_thread():
    one, two = (features(replace(SCHEDULE, chunks=n))[COST] for n in (1, 2))
    halved = features(replace(SCHEDULE, outer=Outer.PLANE))[COST]
    assert two == pytest.approx(one, abs=0.2)
    assert halved == pytest.approx(
        features(replace(SCHEDULE, outer=Outer.PLANE, chunks=2))[COST] + 1, abs=2e-4
    )
