import math
from dataclasses import replace

import pytest

from te_schedules.gpu.conv2d_configuration import GpuConv2dConfiguration
from te_schedules.gpu.conv2d_features import conv2d_features
from tests.te_schedules.gpu.test_conv2d_cost import SCHEDULE, geometry, gpu, lists


def features(schedule=SCHEDULE, *, sparse=True, arch="sm_80", group=4):
    configuration = GpuConv2dConfiguration(sparse=sparse, group=group, schedule=schedule)
    return conv2d_features(configuration, geometry(), lists(9000, group=group), gpu(arch))


@pytest.mark.parametrize(
    "name", ["lanes_x", "rows", "columns", "warps", "groups", "window", "splits", "resident"]
)
def test_every_choice_shows(name):
    changed = replace(SCHEDULE, **{name: 2 * getattr(SCHEDULE, name)})
    assert features(changed) != features()


def test_the_layer_and_the_gpu_show():
    assert features(sparse=False) != features()
    assert features(replace(SCHEDULE, staged=False))["staged"] == 0
    assert features(group=1) != features()
    assert features(arch="sm_90") != features()


def test_all_are_numbers_that_records_take():
    assert all(math.isfinite(value) and value >= 0 for value in features().values())
    assert features()["in channels"] == round(math.log2(257), 4)
