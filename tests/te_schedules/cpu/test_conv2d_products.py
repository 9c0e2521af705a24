import numpy as np
import pytest

from te_schedules.cpu.conv2d_products import PatternProducts
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold
from te_schedules.cpu.expected_loads import LoadCounts
from tests.te_schedules.cpu.count_loads import count_loads
from tests.te_schedules.cpu.lane_kernels import (
    ConvCase,
    bound_kernel,
    pattern_weight,
    random_array,
)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("group", "hold"), [(1, Hold.INPUTS), (2, Hold.WEIGHTS), (3, Hold.INPUTS)])
def test_dense_filters_in_groups_that_do_not_divide_them(group, hold, stride):
    schedule = Conv2dSchedule(rows=1, vectors=2, group=group, hold=hold, chunks=2)
    ConvCase(
        weight=random_array(7, 3, 3, 3),
        size=(9, 25),
        stride=(stride, stride),
        dense=True,
        schedule=schedule,
    ).check()


BLOCKS = {
    "patterns": {"weight": pattern_weight(3, 5)},
    "1x1": {"weight": pattern_weight(3, 7, ["#"]), "padding": (0, 0, 0, 0)},
    "few kernels": {"weight": pattern_weight(3, 5, density=0.1)},
    "stride, batch": {
        "weight": pattern_weight(3, 5),
        "stride": (2, 2),
        "batch": 2,
        "size": (9, 25),
    },
}


@pytest.mark.parametrize("band", [None, 2])
@pytest.mark.parametrize(("group", "hold"), [(2, Hold.WEIGHTS), (3, Hold.INPUTS), (4, Hold.INPUTS)])
@pytest.mark.parametrize("options", BLOCKS.values(), ids=BLOCKS)
def test_filters_with_the_same_kernels_share_a_list(options, group, hold, band):
    kept = np.repeat(options["weight"] != 0, group, axis=0)[:-1]  # the last block has fewer
    weight = random_array(*kept.shape) * kept
    schedule = Conv2dSchedule(rows=1, vectors=2, group=group, hold=hold, band=band, chunks=2)
    case = ConvCase(**(options | {"weight": weight}), schedule=schedule)
    assert case.fkw().groups == 3
    case.check()


def test_a_dense_layer_with_dilation_keeps_rows_of_inputs():
    schedule = Conv2dSchedule(rows=2, vectors=2, group=2, hold=Hold.INPUTS)
    ConvCase(
        weight=random_array(4, 2, 3, 3),
        size=(9, 20),
        dilation=(2, 3),
        padding=(2, 3, 2, 3),
        dense=True,
        schedule=schedule,
    ).check()


def registers(case: ConvCase) -> tuple[int, int]:
    found = []
    bound_kernel(case, lambda conv, _: found.append(conv.products.registers(conv)), 1)
    return found[0]


@pytest.mark.parametrize(
    ("hold", "group", "expected"),
    [
        (Hold.WEIGHTS, 1, (4, 1)),  # the taps of the largest pattern
        (Hold.WEIGHTS, 2, (8, 1)),  # of each filter
        (Hold.INPUTS, 1, (1, 12)),  # 3 rows of 4 input vectors: a tap is used in two rows
        (Hold.INPUTS, 2, (1, 12)),
    ],
)
def test_registers_hold_what_the_schedule_says(hold, group, expected):
    weight = pattern_weight(4, 3, ["##./##./...", "#../.../..."], density=1.0)
    schedule = Conv2dSchedule(rows=2, vectors=3, group=group, hold=hold)
    case = ConvCase(weight=np.repeat(weight[:2], 2, axis=0), schedule=schedule)
    assert registers(case) == expected


@pytest.mark.parametrize("hold", Hold)
def test_an_input_is_loaded_once_for_all_taps_and_filters(hold):
    """A tile of 2 x 2 outputs reads 3 x 3 inputs of a channel, whatever shares them."""
    weight = np.repeat(pattern_weight(1, 3, ["##./##./..."], density=1.0), 4, axis=0)
    schedule = Conv2dSchedule(rows=2, vectors=2, group=4, hold=hold)
    case = ConvCase(weight=weight, size=(8, 16), schedule=schedule)
    counts = count_loads(case.func(), list(case.kernel().constants.values()))
    tiles, channels = 4, 3
    assert counts == LoadCounts(inputs=tiles * channels * 9, products=tiles * channels * 16 * 4)


def test_loads_are_those_of_the_pattern_for_the_outputs_given():
    case = ConvCase(weight=pattern_weight(2, 2, ["##./##./..."], density=1.0))
    geometry, fkw = case.geometry(), case.fkw()
    loads = [
        PatternProducts().loads(geometry, fkw, 0, list(np.ndindex(*t))) for t in [(1, 1), (2, 3)]
    ]
    assert loads == [4, 12]
