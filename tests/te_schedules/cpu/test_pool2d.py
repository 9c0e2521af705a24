import numpy as np
import pytest
import torch

from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import best_split
from te_schedules.cpu.pool2d import Pool2dWindow, global_average_pool, pool2d
from tests.te_schedules.cpu.lane_kernels import (
    ConvCase,
    assert_close,
    assert_stored,
    random_array,
    run_kernel,
)

POOL = {"max": torch.nn.functional.max_pool2d, "average": torch.nn.functional.avg_pool2d}


def geometry_of(options, channels: int = 3) -> Conv2dGeometry:
    """Places windows as a convolution's kernels are placed."""
    height, width = options.pop("window", (3, 3))
    weight = np.zeros((channels, channels, height, width), np.float32)
    return ConvCase(weight=weight, **options).geometry()


def run_pool(geometry: Conv2dGeometry, window: Pool2dWindow, data: np.ndarray) -> np.ndarray:
    out_shape = geometry.out_layout.shape(geometry.batch, geometry.out_channels)
    return run_kernel(pool2d(geometry, window), [geometry.in_layout.pack(data)], out_shape)


PLACES = {
    "2x2, stride 2": {"window": (2, 2), "stride": (2, 2), "padding": (0, 0, 0, 0)},
    "3x3, padded": {},
    "3x3, stride 2, padded": {"stride": (2, 2), "size": (15, 18)},
    "3x3, stride 2, VALID": {"stride": (2, 2), "padding": (0, 0, 0, 0)},
    "2x3, batch of 2": {"window": (2, 3), "batch": 2, "padding": (1, 1, 1, 1), "size": (5, 7)},
    "3x3 over one value": {"size": (1, 1)},
    "1x1": {"window": (1, 1), "padding": (0, 0, 0, 0)},
    "with a halo": {"halo": Halo(top=2, left=1, bottom=1, right=1)},
    "16 lanes": {"size": (14, 14), "stride": (2, 2), "lanes": 16},
}


@pytest.mark.parametrize("kind", POOL)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_windows(place, kind):
    options = dict(place)
    size = options.get("window", (3, 3))
    geometry = geometry_of(options)
    # All below zero: a maximum that takes padding for a value shows.
    data = random_array(geometry.batch, 3, *options.get("size", (9, 11))) - 5
    padding = geometry.padding
    window = Pool2dWindow(kind=kind, size=size, padded=padding != (0, 0))
    keywords = {} if kind == "max" else {"count_include_pad": False}
    expected = POOL[kind](torch.from_numpy(data), size, geometry.stride, padding, **keywords)
    assert_stored(run_pool(geometry, window, data), geometry.out_layout, expected.numpy())


def test_an_average_may_count_its_padding():
    geometry = geometry_of({})
    data = random_array(1, 3, 9, 11) + 5
    window = Pool2dWindow(kind="average", size=(3, 3), padded=True, count_padding=True)
    expected = torch.nn.functional.avg_pool2d(torch.from_numpy(data), 3, 1, 1).numpy()
    assert_stored(run_pool(geometry, window, data), geometry.out_layout, expected)


@pytest.mark.parametrize("kind", POOL)
def test_a_last_window_may_reach_over_the_edge(kind):
    """What ceil_mode asks for: 4 windows of stride 2 over 8 values."""
    geometry = geometry_of({"size": (8, 8), "stride": (2, 2), "padding": (0, 0, 1, 1)})
    data = random_array(1, 3, 8, 8) - 5
    window = Pool2dWindow(kind=kind, size=(3, 3), padded=True)
    expected = POOL[kind](torch.from_numpy(data), 3, 2, ceil_mode=True).numpy()
    assert expected.shape == (1, 3, 4, 4)
    assert_stored(run_pool(geometry, window, data), geometry.out_layout, expected)


def test_a_dilated_maximum():
    geometry = geometry_of({"dilation": (2, 3)})
    data = random_array(1, 3, 9, 11) - 5
    window = Pool2dWindow(kind="max", size=(3, 3), padded=True)
    expected = torch.nn.functional.max_pool2d(
        torch.from_numpy(data), 3, stride=1, padding=1, dilation=(2, 3)
    ).numpy()
    assert_stored(run_pool(geometry, window, data), geometry.out_layout, expected)


@pytest.mark.parametrize(
    ("size", "lanes", "halo"),
    [
        ((7, 7), 16, Halo()),
        ((9, 5), 4, Halo(top=1, left=2, bottom=1)),
        ((1, 1), 8, Halo(top=1, left=1, bottom=1, right=1)),
    ],
)
def test_the_mean_of_each_plane(size, lanes, halo):
    layout = LaneLayout(best_split(*size, lanes), halo)
    data = random_array(2, 5, *size)
    got = run_kernel(global_average_pool(2, 5, layout), [layout.pack(data)], (2, 5))
    assert_close(got, data.mean(axis=(2, 3)))
