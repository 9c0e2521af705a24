"""What tuning chooses from: all of it is right, and it holds what the cost model chooses."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from te_schedules.cpu.int8.choose_strips import choose_strips
from te_schedules.cpu.int8.strip_configuration import StripConfiguration
from te_schedules.cpu.int8.strip_conv2d import strip_conv2d
from te_schedules.cpu.int8.strip_space import strip_kernel, tuning_strips
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer
from tests.te_schedules.cpu.int8.int8_reference import (
    exact_layer,
    random_bytes,
    run_bytes,
    to_stored,
)
from tests.te_schedules.cpu.lane_kernels import native
from tvm_patdnn.machine.cpu_model import CpuModel

HERE = replace(CpuModel.from_target(native()), num_cores=2)
NAMES = ("3x3", "3x3, stride 2", "1x1, residual", "depthwise", "groups")


@cache
def space(name: str, sparse: bool = True):
    kernels = tuning_strips(sample_layer(name), HERE, sparse=sparse)
    return [StripConfiguration.of(kernel, sparse=sparse) for kernel in kernels]


@pytest.mark.parametrize("name", NAMES)
def test_points_are_distinct_and_hold_what_the_cost_model_chooses(name):
    layer = sample_layer(name)
    for sparse in (False, True):
        points = space(name, sparse)
        assert len(set(points)) == len(points) > 20
        chosen = choose_strips(layer, HERE, sparse)
        assert StripConfiguration.of(chosen, sparse=sparse) in points
    assert {point.chunks for point in points} == {1, 2, 4, 8}


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(NAMES), st.booleans(), st.data())
def test_every_point_is_a_kernel_with_the_same_bytes(name, sparse, data):
    layer, point = sample_layer(name), data.draw(st.sampled_from(space(name, sparse)))
    kernel = strip_kernel(point, layer, HERE)
    assert StripConfiguration.of(kernel, sparse=sparse) == point
    inputs, other = random_bytes(*layer.in_shape), random_bytes(*layer.out_shape, seed=1)
    args = [to_stored(inputs), *kernel.constants.values()]
    args += [to_stored(other)] if layer.store.residual else []
    found = run_bytes(strip_conv2d(kernel), *args, shape=layer.out_shape)
    np.testing.assert_array_equal(found, exact_layer(layer, inputs, other))


@pytest.mark.parametrize(
    "changes",
    [
        {"group": 3},
        {"group": 64},
        {"rows": 10},
        {"products": "others"},
        {"tile": 64},
        {"chunks": 9},
    ],
)
def test_what_another_layer_has_is_none_of_this_one(changes):
    point = StripConfiguration(sparse=True, products="taps", group=1, rows=9, tile=1, chunks=8)
    layer = sample_layer("3x3")
    assert strip_kernel(point, layer, HERE) is not None
    assert strip_kernel(replace(point, **changes), layer, HERE) is None
