import numpy as np
import pytest

from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import (
    ConvCase,
    assert_stored,
    pattern_weight,
    random_array,
)

W53 = pattern_weight(5, 3)

SHAPES = {
    "plain": {},
    "exact lanes": {"size": (8, 8)},
    "batch of 2": {"batch": 2, "size": (5, 6)},
    "one value": {"size": (1, 1)},
    "one row": {"size": (1, 13)},
    "one column": {"size": (17, 1)},
    "no padding": {"padding": (0, 0, 0, 0)},
    "asymmetric padding": {"padding": (0, 1, 2, 0)},
    "padding of a larger kernel": {"padding": (2, 2, 2, 2)},
    "stride 2": {"stride": (2, 2), "size": (12, 15)},
    "stride 2, even, padded after": {"stride": (2, 2), "size": (8, 8), "padding": (0, 0, 1, 1)},
    "stride 3": {"stride": (3, 3)},
    "stride in x": {"stride": (1, 2)},
    "dilation": {"dilation": (2, 2), "padding": (2, 2, 2, 2)},
    "dilation in y, stride in x": {"dilation": (3, 1), "stride": (1, 2)},
}

WEIGHTS = {
    "empty filters": W53 * np.array([1, 0, 1, 0, 1], np.float32).reshape(5, 1, 1, 1),
    "no kernel": 0 * W53,
    "one kernel": W53 * (np.arange(15) == 7).reshape(5, 3, 1, 1).astype(np.float32),
    "one filter of one channel": pattern_weight(1, 1, density=1.0),
    "every kernel": pattern_weight(5, 3, density=1.0),
    "one pattern": pattern_weight(5, 3, ["##./##./..."]),
    "patterns of 1 to 9 entries": pattern_weight(
        9, 4, ["#../.../...", "#.#/.../...", "###/#../...", "###/###/###", "#.#/.#./#.#"]
    ),
    "patterns without the centre": pattern_weight(5, 3, ["###/.../...", ".../#.#/..."]),
    "1x1": pattern_weight(5, 7, ["#"]),
    "3x1": pattern_weight(5, 3, ["#/./#", "./#/#"]),
    "1x5": pattern_weight(5, 3, ["#.#.#", "##..."]),
    "2x2": pattern_weight(5, 3, ["#./.#", "##/.."]),
    "5x5": pattern_weight(3, 3, ["#...#/...../..#../...../#...#", "...../.###./.###./...../....."]),
}


def centred(weight: np.ndarray) -> tuple[int, int, int, int]:
    """The padding that keeps the size of the plane, for odd kernels."""
    y, x = weight.shape[2] // 2, weight.shape[3] // 2
    return (y, x, y, x)


@pytest.mark.parametrize("options", SHAPES.values(), ids=SHAPES)
def test_awkward_shapes(options):
    ConvCase(weight=W53, **options).check()


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
def test_awkward_weights(weight):
    schedule = Conv2dSchedule(rows=2, vectors=1, chunks=2)
    ConvCase(weight=weight, padding=centred(weight), schedule=schedule).check()


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize(("rows", "vectors"), [(1, 1), (2, 2), (5, 3), (3, 1)])
def test_tiles_that_divide_the_plane_and_that_do_not(rows, vectors, hold):
    schedule = Conv2dSchedule(rows=rows, vectors=vectors, hold=hold)
    case = ConvCase(weight=W53, schedule=schedule)
    assert (case.out_layout().steps_y, case.out_layout().steps_x) == (5, 3)
    case.check()


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
    "1x1": {"weight": WEIGHTS["1x1"][:3], "padding": (0, 0, 0, 0)},
    "few kernels": {"weight": pattern_weight(3, 5, density=0.1)},
    "stride, batch": {
        "weight": pattern_weight(3, 5),
        "stride": (2, 2),
        "batch": 2,
        "size": (9, 25),
    },
}


@pytest.mark.parametrize("window", [None, 2])
@pytest.mark.parametrize(("group", "hold"), [(2, Hold.WEIGHTS), (3, Hold.INPUTS), (4, Hold.INPUTS)])
@pytest.mark.parametrize("options", BLOCKS.values(), ids=BLOCKS)
def test_filters_with_the_same_kernels_share_a_list(options, group, hold, window):
    kept = np.repeat(options["weight"] != 0, group, axis=0)[:-1]  # the last block has fewer
    weight = random_array(*kept.shape) * kept
    schedule = Conv2dSchedule(rows=1, vectors=2, group=group, hold=hold, window=window, chunks=2)
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


@pytest.mark.parametrize("outer", Outer)
@pytest.mark.parametrize("chunks", [1, 2, 9])
def test_work_is_shared_out_by_blocks_of_the_plane_and_chunks_of_filters(chunks, outer):
    schedule = Conv2dSchedule(rows=2, vectors=2, outer=outer, chunks=chunks)
    ConvCase(weight=W53, batch=2, schedule=schedule).check()


WINDOWED = {
    "1x1": {"weight": WEIGHTS["1x1"], "padding": (0, 0, 0, 0)},
    "patterns": {"weight": pattern_weight(5, 7)},
    "empty windows": {"weight": pattern_weight(5, 7, density=0.1)},
    "no kernel": {"weight": 0 * pattern_weight(5, 7)},
    "batch, stride": {"weight": pattern_weight(5, 7), "batch": 2, "stride": (2, 2)},
    "bias": {
        "weight": pattern_weight(5, 7),
        "steps": (Step("add_number", numbers=(1.5,)),),
    },
}


@pytest.mark.parametrize("chunks", [1, 2, 5])
@pytest.mark.parametrize("window", [1, 3, 7, 100])
@pytest.mark.parametrize("options", WINDOWED.values(), ids=WINDOWED)
def test_windows_of_channels(options, window, chunks):
    schedule = Conv2dSchedule(rows=2, vectors=1, window=window, chunks=chunks)
    case = ConvCase(**options, schedule=schedule)
    assert case.fkw().windows == -(-7 // window)
    expected = case.reference() + (1.5 if case.steps else 0)
    assert_stored(case.run(), case.out_layout(), expected)


@pytest.mark.parametrize("hold", Hold)
def test_windows_of_dense_groups(hold):
    schedule = Conv2dSchedule(rows=1, vectors=2, group=2, hold=hold, window=3)
    ConvCase(weight=random_array(5, 7, 3, 3), dense=True, schedule=schedule).check()


def test_windows_go_with_single_tiles():
    """The sums of one tile wait in memory between two windows."""
    for outer in (Outer.ROW, Outer.PLANE):
        with pytest.raises(ValueError, match="window=4: needs outer=Outer.TILE, got"):
            Conv2dSchedule(rows=1, vectors=1, window=4, outer=outer)


@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("stride", [1, 2])
def test_lanes(lanes, stride):
    ConvCase(weight=W53, size=(11, 18), lanes=lanes, stride=(stride, stride)).check()


@pytest.mark.parametrize(
    "options",
    [
        {"weight": pattern_weight(4, 3), "groups": 2},
        {"weight": random_array(6, 2, 3, 3), "groups": 3, "dense": True},
        {"weight": random_array(5, 1, 3, 3), "groups": 5, "dense": True},
        {
            "weight": random_array(6, 1, 3, 3),
            "groups": 3,
            "dense": True,
            "stride": (2, 2),
            "size": (9, 25),
        },
        {"weight": pattern_weight(5, 1), "groups": 5},
        {"weight": random_array(4, 1, 5, 5), "groups": 4, "dense": True, "padding": (2, 2, 2, 2)},
    ],
    ids=["pruned", "dense", "depthwise", "multiplied depthwise", "pruned depthwise", "5x5"],
)
def test_groups(options):
    ConvCase(**options, schedule=Conv2dSchedule(rows=1, vectors=2, chunks=2)).check()


def test_grouped_filters_share_lists_inside_their_group():
    schedule = Conv2dSchedule(rows=1, vectors=2, group=2, hold=Hold.INPUTS)
    ConvCase(weight=random_array(8, 3, 3, 3), groups=2, dense=True, schedule=schedule).check()


def test_many_channels_that_divide_nothing():
    weight = pattern_weight(67, 61, density=0.3)
    ConvCase(
        weight=weight, size=(7, 7), lanes=16, schedule=Conv2dSchedule(rows=2, vectors=1, chunks=3)
    ).check()


def test_indices_of_32_bits():
    weight = np.zeros((2, (1 << 16) + 1, 1, 1), np.float32)
    weight[0, ::5000], weight[1, -1] = 1, 2
    case = ConvCase(weight=weight, size=(2, 2), lanes=4, padding=(0, 0, 0, 0))
    assert case.fkw().index.dtype == np.int32
    case.check()


def test_values_that_are_not_finite_stay_where_they_are():
    """What a layer does not read must not leak into it: neither removed taps nor lanes."""
    case = ConvCase(weight=pattern_weight(2, 2, [".../.#./..."], density=1.0))
    data = case.data
    data[0, 0, 4, 5] = np.inf
    infinite = np.isinf(case.out_layout().unpack(case.run(data)))
    assert infinite[:, :, 4, 5].all()
    assert infinite.sum() == 2
