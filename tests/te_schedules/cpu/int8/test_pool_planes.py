import numpy as np
import pytest
import torch

from te_schedules.cpu.int8.byte_code import StoredRange, Term
from te_schedules.cpu.int8.pool_planes import (
    PoolPlanes,
    average_planes,
    max_planes,
    window_shares,
)
from te_schedules.window import Window
from tests.te_schedules.cpu.int8.int8_reference import random_bytes, run_bytes, to_stored

PLACES = {
    "2x2, stride 2": ((9, 14), (2, 2), {"stride": (2, 2)}),
    "3x3, stride 2, padded": ((9, 50), (3, 3), {"stride": (2, 2), "padding": (1, 1)}),
    "3x2, stride 1 and 3": ((6, 8), (3, 2), {"stride": (1, 3), "padding": (1, 0)}),
    "to one value": ((5, 6), (5, 6), {}),
    "to one column": ((5, 3), (2, 3), {"stride": (2, 2)}),
    "3x3, stride 1, padded": ((5, 7), (3, 3), {"padding": (1, 1)}),
}


def pool_of(size, taps, window, ceil_mode=False) -> PoolPlanes:
    data = torch.zeros(2, 3, *size)
    options = {"stride": (1, 1), "padding": (0, 0), **window}
    shape = torch.nn.functional.max_pool2d(data, taps, ceil_mode=ceil_mode, **options).shape
    window = Window(taps, **window)
    return PoolPlanes(in_shape=(2, 3, *size), out_shape=tuple(shape), window=window)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_maxima(place, ceil_mode):
    pool, data = pool_of(*place, ceil_mode), random_bytes(2, 3, *place[0])
    window = pool.window
    found = torch.nn.functional.max_pool2d(
        torch.from_numpy(data.astype(np.float32)),
        window.taps,
        window.stride,
        window.padding,
        ceil_mode=ceil_mode,
    )
    func = max_planes(pool, StoredRange(zero=0, low=50, high=240))
    expected = np.clip(found.numpy(), 50, 240)
    np.testing.assert_array_equal(run_bytes(func, to_stored(data), shape=pool.out_shape), expected)


def test_a_maximum_of_windows_with_gaps():
    pool = PoolPlanes(
        in_shape=(1, 2, 9, 11),
        out_shape=(1, 2, 5, 7),
        window=Window((3, 3), dilation=(2, 2)),
    )
    data = random_bytes(*pool.in_shape)
    numbers = torch.from_numpy(data.astype(np.float32))
    expected = torch.nn.functional.max_pool2d(numbers, 3, 1, dilation=2).numpy()
    func = max_planes(pool, StoredRange(zero=0))
    np.testing.assert_array_equal(run_bytes(func, to_stored(data), shape=pool.out_shape), expected)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("count_padding", [False, True])
def test_averages(place, count_padding):
    pool, data = pool_of(*place), random_bytes(2, 3, *place[0])
    term, stored = Term(scale=0.3137, zero=50), StoredRange(zero=60, low=10)
    window = pool.window
    found = torch.nn.functional.avg_pool2d(
        torch.from_numpy((data.astype(np.float64) - 50) * 0.3137),
        window.taps,
        window.stride,
        window.padding,
        count_include_pad=count_padding,
    )
    shares = [window_shares(pool, axis, count_padding=count_padding) for axis in (0, 1)]
    func = average_planes(pool, term, stored)
    result = run_bytes(func, to_stored(data), *shares, shape=pool.out_shape)
    np.testing.assert_array_equal(result, np.clip(np.rint(found.numpy()) + 60, 10, 255))
