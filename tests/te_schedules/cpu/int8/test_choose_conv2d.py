import numpy as np
import pytest

from te_schedules.cpu.int8.choose_conv2d import CLEARLY, GENERATORS, choose_conv2d, conv2d_cost
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from te_schedules.cpu.int8.winograd_kernel import TileConv2d
from tests.te_schedules.cpu.int8.int8_reference import (
    exact_layer,
    int8_layer,
    random_bytes,
    run_bytes,
    to_stored,
)
from tests.te_schedules.cpu.int8.test_choose_strips import WITH, pruned

AVX2 = WITH["avx2"]


def layer_of(weight: np.ndarray, size: int = 28, **options: object):
    return int8_layer(weight, (1, weight.shape[1], size, size), padding=(1, 1, 1, 1), **options)


def dense(filters: int = 64, channels: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(-60, 60, (filters, channels, 3, 3)).astype(np.int8)


def test_a_dense_layer_is_transformed():
    layer = layer_of(dense())
    found, strips = (choose_conv2d(layer, AVX2, transforms=each) for each in (True, False))
    assert isinstance(found, TileConv2d)
    assert isinstance(strips, StripConv2d)
    assert CLEARLY * conv2d_cost(found, AVX2) < conv2d_cost(strips, AVX2)


def test_so_is_one_that_was_pruned_to_patterns_alone():
    weight = dense() * (np.indices((3, 3)).sum(0) < 3)  # six taps of nine
    assert isinstance(choose_conv2d(layer_of(weight.astype(np.int8)), AVX2), TileConv2d)


def test_a_pruned_layer_is_not():
    assert isinstance(choose_conv2d(layer_of(pruned()), AVX2), StripConv2d)


def test_a_first_layer_is_not():
    assert isinstance(choose_conv2d(layer_of(dense(64, 3), 96), AVX2), StripConv2d)


@pytest.mark.parametrize(("dots", "kind"), [("neon", TileConv2d), ("dotprod", StripConv2d)])
def test_on_arm_only_cpus_without_dot_products_transform(dots, kind):
    assert isinstance(choose_conv2d(layer_of(dense()), WITH[dots]), kind)


def test_both_compute_the_same():
    layer = layer_of(dense(8, 8), 12)
    data = random_bytes(*layer.in_shape)
    for transforms in (True, False):
        kernel = choose_conv2d(layer, WITH["avx2"], transforms=transforms)
        args = to_stored(data), *kernel.constants.values()
        found = run_bytes(GENERATORS[type(kernel)](kernel), *args, shape=layer.out_shape)
        np.testing.assert_array_equal(found, exact_layer(layer, data))
