"""What is expected of a kernel is what ``count_loads`` finds in its code."""

import numpy as np
import pytest

from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.expected_loads import LoadCounts, expected_loads
from te_schedules.cpu.generic_sparse_products import TableProducts
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tests.te_schedules.cpu.count_loads import count_loads
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight, random_array
from tests.te_schedules.cpu.winograd_case import WinogradCase
from tvm_patdnn.sparse.unordered_kernels import pack_single_taps, pack_unordered


def assert_expected(**case) -> None:
    made = ConvCase(**case)
    kernel = made.kernel()
    counted = count_loads(made.func(), list(kernel.constants.values()))
    assert counted.products > 0
    assert expected_loads(kernel) == counted


@pytest.mark.parametrize(
    "schedule",
    [
        {"rows": 1, "vectors": 1},
        {"rows": 2, "vectors": 2},  # tiles that overlap both ways
        {"rows": 2, "vectors": 3},
        {"rows": 3, "vectors": 1, "chunks": 3},
        {"rows": 2, "vectors": 2, "band": 2},
        {"rows": 2, "vectors": 2, "outer": Outer.ROW},
        {"rows": 2, "vectors": 2, "outer": Outer.PLANE},
        {"rows": 2, "vectors": 1, "hold": Hold.INPUTS},
    ],
)
def test_of_any_schedule(schedule):
    assert_expected(weight=pattern_weight(5, 4), schedule=Conv2dSchedule(**schedule))


@pytest.mark.parametrize(
    "schedule",
    [
        {"rows": 2, "vectors": 2, "together": 2, "units": 2, "chunks": 3},
        {"rows": 2, "vectors": 2, "together": 3, "units": 1},
        {"rows": 1, "vectors": 2, "together": 1, "units": 4, "chunks": 2},
    ],
)
@pytest.mark.parametrize("moved", [{}, {"stride": (2, 2), "size": (34, 80)}])
def test_of_transforms(schedule, moved):
    made = WinogradCase(
        weight=random_array(5, 4, 3, 3),
        **{"size": (17, 40), **moved},
        transform=WinogradSchedule(group=3, **schedule),
    )
    kernel = made.kernel()
    counted = count_loads(made.func(), list(kernel.constants.values()))
    assert counted.products > 0
    assert expected_loads(kernel) == counted


def test_of_packed_inputs():
    schedule = WinogradSchedule(rows=1, vectors=1, group=3, together=2, units=3, chunks=2)
    made = WinogradCase(weight=random_array(7, 4, 1, 1), padding=(0,) * 4, transform=schedule)
    kernel = made.kernel()
    counted = count_loads(made.func(), list(kernel.constants.values()))
    assert expected_loads(kernel) == counted


@pytest.mark.parametrize("group", [2, 3, 4])
def test_of_filters_that_share_a_list(group):
    point = Conv2dSchedule(rows=2, vectors=1, group=group, hold=Hold.INPUTS)
    assert_expected(weight=random_array(5, 3, 3, 3), dense=True, schedule=point)


@pytest.mark.parametrize(
    "case",
    [
        {"stride": (2, 2)},
        {"stride": (2, 1), "padding": (0, 1, 2, 0)},
        {"dilation": (2, 3), "padding": (2, 3, 2, 3)},
        {"batch": 3},
        {"size": (4, 30), "lanes": 16},
        {"size": (2, 3), "lanes": 4},
    ],
)
def test_of_any_geometry(case):
    assert_expected(weight=pattern_weight(4, 3), **case)


@pytest.mark.parametrize("groups", [2, 4])
def test_of_grouped_convolutions(groups):
    assert_expected(weight=random_array(4, 4 // groups, 3, 3), groups=groups)


@pytest.mark.parametrize("pack", [None, pack_unordered, pack_single_taps])
def test_of_taps_from_a_table(pack):
    point = Conv2dSchedule(rows=2, vectors=2)
    weight = pattern_weight(4, 3, ["##./##./...", "###/.../..."])
    assert_expected(weight=weight, schedule=point, pack=pack, products=TableProducts())


def test_of_a_layer_without_weights():
    kernel = ConvCase(weight=np.zeros((4, 4, 3, 3), np.float32)).kernel()
    nothing = LoadCounts(inputs=0, products=0)
    assert expected_loads(kernel) == nothing
