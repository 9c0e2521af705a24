"""Winograd's convolution over awkward shapes, and its rounding against sums in float64."""

import numpy as np
import pytest
import torch

from te_schedules.cpu.lane_layout import Halo
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import assert_stored, random_array
from tests.te_schedules.cpu.winograd_case import WinogradCase

HALO = Halo(top=1, left=1, bottom=1, right=1)
W75 = random_array(7, 5, 3, 3)
SCHEDULE = {"rows": 2, "vectors": 2, "group": 3, "together": 2, "units": 2}


def case(weight: np.ndarray = W75, size=(16, 24), **options) -> WinogradCase:
    schedule = {**SCHEDULE, **options.pop("schedule", {})}
    return WinogradCase(
        weight=weight, size=size, transform=WinogradSchedule(**schedule), halo=HALO, **options
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": (17, 23)},  # tiles that overlap both ways, lanes without a pixel
        {"size": (17, 23), "schedule": {"chunks": 3}},
        {"batch": 2, "schedule": {"chunks": 2}},
        {"padding": (0, 0, 0, 0)},
        {"padding": (0, 1, 2, 0)},
        {"size": (32, 40), "schedule": {"rows": 4, "vectors": 4, "together": 1}},
        {"size": (33, 42), "schedule": {"rows": 4, "vectors": 2, "together": 3}},
        {"size": (33, 42), "schedule": {"rows": 1, "vectors": 4, "together": 3}},
        {"size": (7, 7), "schedule": {"rows": 1, "vectors": 4, "together": 1}},
        {"size": (30, 30), "lanes": 4, "schedule": {"rows": 4, "vectors": 4, "units": 3}},
        {"size": (30, 34), "lanes": 16, "schedule": {"rows": 2, "vectors": 4, "units": 1}},
        {"size": (30, 30), "lanes": 4, "schedule": {"rows": 4, "vectors": 1, "units": 1}},
        {"schedule": {"group": 7}},
        {"schedule": {"group": 1, "together": 1, "units": 1}},
        {"weight": random_array(3, 4, 5, 5), "padding": (2, 2, 2, 2), "size": (24, 24)},
        {"weight": random_array(5, 3, 1, 4), "schedule": {"rows": 1, "vectors": 4}},
    ],
)
def test_awkward_shapes(options):
    case(**options).check()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": (47, 85)},
        {"size": (40, 56), "schedule": {"rows": 4, "vectors": 3}},
        {"batch": 2, "lanes": 4, "schedule": {"rows": 4, "vectors": 1, "chunks": 2}},
        {"weight": W75, "padding": (1, 1, 1, 1)},
        {"weight": W75, "stride": (2, 1), "lanes": 16, "schedule": {"rows": 3, "vectors": 2}},
        {"weight": random_array(3, 4, 5, 4), "stride": (3, 2), "padding": (0, 2, 1, 0)},
        {"weight": random_array(3, 4, 2, 4), "stride": (3, 2), "schedule": {"rows": 1}},
    ],
)
def test_windows_that_move_by_several_values(options):
    """Phases of different taps: of the smaller ones what no tap reads is not read, either."""
    strided = {"weight": random_array(7, 3, 7, 7), "stride": (2, 2), "padding": (3, 3, 3, 3)}
    shape = {"size": (32, 48), "schedule": {"rows": 3, "vectors": 3}}
    case(**{**shape, **strided, **options}).check()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": (7, 7), "schedule": {"together": 2, "units": 4}},
        {"stride": (2, 2)},
        {"stride": (1, 2), "size": (9, 21)},
        {"batch": 3, "schedule": {"chunks": 2, "together": 3}},
        {"lanes": 16, "schedule": {"group": 2}},
    ],
)
def test_windows_of_one_tap_are_packed(options):
    one = {**options, "schedule": {"rows": 1, "vectors": 1, **options.get("schedule", {})}}
    case(random_array(7, 5, 1, 1), padding=(0, 0, 0, 0), **one).check()


def test_the_epilogue_is_that_of_every_convolution():
    bias = random_array(1, 7)
    made = case(steps=(Step("add", OperandSpec()), Step("relu")), operands=(bias,))
    expected = np.maximum(made.reference() + bias.reshape(1, 7, 1, 1), 0)
    assert_stored(made.run(), made.out_layout(), expected)


@pytest.mark.parametrize(
    ("taps", "stride", "outputs", "bound"),
    [
        (3, 1, 2, 1e-6),
        (3, 1, 4, 4e-6),
        (4, 1, 3, 4e-6),
        (4, 1, 4, 4e-6),
        (5, 1, 2, 4e-6),
        (5, 1, 3, 4e-6),
        (3, 2, 3, 1e-6),
        (7, 2, 3, 4e-6),
        (7, 2, 4, 6e-6),
    ],
)
def test_rounding_is_bounded(taps, stride, outputs, bound):
    """The largest error over the largest sum, of 64 channels and numbers around zero."""
    made = case(
        random_array(8, 64, taps, taps),
        size=(32, 64),
        stride=(stride, stride),
        padding=(taps // 2,) * 4,
        schedule={"rows": outputs, "vectors": outputs},
    )
    data, weight = (torch.from_numpy(each).double() for each in (made.data, made.weight))
    exact = torch.nn.functional.conv2d(data, weight, stride=stride, padding=taps // 2).numpy()
    got = made.out_layout().unpack(made.run())
    error = np.abs(got - exact).max() / np.abs(exact).max()
    assert 0 < error < bound


def test_a_value_that_two_tiles_compute_is_stored_by_one():
    """Their roundings differ, so that threads would race for it: runs must be alike, bit by bit."""
    made = case(size=(19, 27), schedule={"rows": 4, "vectors": 2, "together": 1, "units": 1})
    first = made.run()
    for _ in range(3):
        assert np.array_equal(made.run(), first, equal_nan=True)


def test_windows_whose_taps_are_apart_are_declined():
    with pytest.raises(ValueError, match=r"dilation \(2, 2\): expected 1 where a tile has more"):
        case(dilation=(2, 2)).kernel()


def test_kernels_of_one_key_have_the_same_code():
    one, other = case().kernel(), case(random_array(7, 5, 3, 3, seed=3)).kernel()
    assert one.code_key == other.code_key
    assert one.code_key != case(schedule={"units": 1}).kernel().code_key


def test_it_says_how_it_computes():
    assert case().kernel().way == "winograd"
    plain = case(random_array(7, 5, 1, 1), padding=(0,) * 4, schedule={"rows": 1, "vectors": 1})
    assert plain.kernel().way == "packed"
