"""What tuning chooses from: all of it is right, and it holds what the cost model chooses."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from te_schedules.cpu.int8.winograd_schedule import TileSchedule
from te_schedules.cpu.int8.winograd_space import choose_tiles, tile_kernel, tile_kernels
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer
from tests.te_schedules.cpu.int8.int8_reference import int8_layer
from tests.te_schedules.cpu.int8.tile_samples import assert_tiles_exact
from tests.te_schedules.cpu.lane_kernels import native
from tvm_patdnn.machine.cpu_model import CpuModel

HERE = replace(CpuModel.from_target(native()), num_cores=2)
NAMES = ("3x3", "3x3, large", "3x3, residual")


@cache
def space(name: str) -> list[TileSchedule]:
    return [kernel.schedule for kernel in tile_kernels(sample_layer(name), HERE)]


@pytest.mark.parametrize("name", NAMES)
def test_points_are_distinct_and_hold_what_the_cost_model_chooses(name):
    points = space(name)
    assert len(set(points)) == len(points) > 20
    assert {point.chunks for point in points} == {1, 2}
    assert {(point.height, point.width) for point in points} == {(2, 2), (2, 4), (4, 2), (4, 4)}
    assert choose_tiles(sample_layer(name), HERE).schedule in points


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_every_point_is_a_kernel_with_the_same_bytes(name, data):
    point = data.draw(st.sampled_from(space(name)))
    assert_tiles_exact(tile_kernel(point, sample_layer(name), HERE))


def test_other_windows_have_none():
    for name in ("1x1", "3x3, stride 2", "groups", "depthwise"):
        assert list(tile_kernels(sample_layer(name), HERE)) == []
        assert choose_tiles(sample_layer(name), HERE) is None
        assert tile_kernel(space("3x3")[0], sample_layer(name), HERE) is None


def test_large_sums_have_smaller_tiles():
    weight = np.full((4, 128, 3, 3), 127, np.int8)
    layer = int8_layer(weight, (1, 128, 16, 16), padding=(1, 1, 1, 1), in_zero=0)
    schedules = [kernel.schedule for kernel in tile_kernels(layer, HERE)]
    assert {(each.height, each.width) for each in schedules} == {(2, 2), (2, 4), (4, 2)}
    assert tile_kernel(replace(schedules[0], height=4, width=4), layer, HERE) is None


@pytest.mark.parametrize(
    "changes",
    [{"height": 3}, {"width": 6}, {"group": 12}, {"rows": 4}, {"together": 16}, {"chunks": 9}],
)
def test_what_another_layer_has_is_none_of_this_one(changes):
    point = TileSchedule(height=4, width=4, rows=3, group=2, together=1)
    layer = sample_layer("3x3")
    assert tile_kernel(point, layer, HERE) is not None
    assert tile_kernel(replace(point, **changes), layer, HERE) is None
