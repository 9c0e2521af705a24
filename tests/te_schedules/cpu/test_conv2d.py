import itertools

import numpy as np
import pytest
import tvm

from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import (
    ConvCase,
    pattern_weight,
    random_array,
)
from tvm_patdnn.sparse.unordered_kernels import pack_unordered

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


def test_kernels_that_the_code_does_not_compute_are_declined():
    case = ConvCase(weight=W53, pack=pack_unordered)
    with pytest.raises(ValueError, match=r"stored as UnorderedKernels: expected FKW, .* TableProd"):
        case.kernel()


def test_constants_are_the_arrays_of_the_storage_in_the_order_of_the_arguments():
    case = ConvCase(weight=W53, schedule=Conv2dSchedule(rows=1, vectors=1, chunks=3))
    kernel, fkw = case.kernel(), case.fkw()
    names = ["reorder", "offset", "weight_offset", "stride", "input", "weight", "chunk"]
    assert list(kernel.constants) == names
    for name in set(names) - {"input", "chunk"}:
        assert np.array_equal(kernel.constants[name], getattr(fkw, name))
    pairs = kernel.geometry.in_layout.plane_values // 2
    assert np.array_equal(kernel.constants["input"], fkw.index * pairs)
    assert np.array_equal(kernel.constants["chunk"], fkw.balanced_chunks(3))
    described = [(name, array.shape, str(array.dtype)) for name, array in kernel.constants.items()]
    assert kernel.params == described


def scattered(seed: int) -> np.ndarray:
    """Half of the kernels of one pattern, anywhere: (8, 8, 3, 3)."""
    weight = pattern_weight(8, 8, ["##./##./..."], density=1.0, seed=seed)
    gone = np.random.default_rng(seed).permutation(64)[:32]
    weight.reshape(64, 3, 3)[gone] = 0
    return weight


def test_kernels_of_one_key_have_the_same_code():
    """Whatever they store; but how many sums wait between bands depends on where that is cut."""
    schedules = [
        Conv2dSchedule(rows=2, vectors=1, chunks=2),
        Conv2dSchedule(rows=1, vectors=2, band=4, chunks=3),
    ]
    codes = {}
    for schedule, seed in itertools.product(schedules, range(6)):
        case = ConvCase(weight=scattered(seed), schedule=schedule)
        codes.setdefault(case.kernel().code_key, []).append(case.func())
    assert 2 < len(codes) < 12
    for first, *others in codes.values():
        for other in others:
            tvm.ir.assert_structural_equal(other, first)


@pytest.mark.parametrize(
    "other",
    [
        {"weight": pattern_weight(5, 3, ["##./##./..."], density=1.0)},
        {"size": (9, 12)},
        {"batch": 2},
        {"schedule": Conv2dSchedule(rows=2, vectors=1)},
        {"dense": True},
        {"steps": (Step("relu"),)},
    ],
)
def test_what_has_other_code_has_another_key(other):
    weight = pattern_weight(5, 3, ["##./.##/..."], density=1.0)
    one = ConvCase(weight=weight).kernel()
    assert ConvCase(**{"weight": weight, **other}).kernel().code_key != one.code_key
    assert ConvCase(weight=2 * weight).kernel().code_key == one.code_key
