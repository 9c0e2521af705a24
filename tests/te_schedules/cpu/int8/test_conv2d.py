import numpy as np
import pytest

from te_schedules.cpu.int8.conv2d import choose_int8_kernel
from te_schedules.cpu.int8.layer import Int8Layer, Residual
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.int8.int8_reference import (
    exact_layer,
    int8_layer,
    random_bytes,
    run_bytes,
    to_stored,
)


def random_weight(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(-127, 128, shape, np.int8)


def assert_exact(layer: Int8Layer) -> None:
    data, other = random_bytes(*layer.in_shape), random_bytes(*layer.out_shape, seed=1)
    kernel = choose_int8_kernel(layer, CPU)
    args = [to_stored(data), *kernel.constants.values()]
    args += [to_stored(other)] if layer.store.residual else []
    expected = exact_layer(layer, data, other)
    found = run_bytes(kernel.func, *args, shape=layer.out_shape)
    assert np.unique(expected).size > 10
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("weight", "size", "options"),
    [
        ((5, 3, 3, 3), (6, 9), {"padding": (1, 1, 1, 1)}),
        ((4, 3, 3, 3), (9, 7), {"padding": (0, 0, 1, 1), "stride": (2, 2)}),
        ((4, 2, 5, 3), (9, 7), {"padding": (2, 1, 2, 1), "dilation": (1, 2)}),
        ((6, 2, 3, 3), (5, 5), {"padding": (1, 1, 1, 1), "groups": 3}),
        ((6, 1, 3, 3), (5, 5), {"padding": (1, 1, 1, 1), "groups": 6, "low": 100}),
        ((40, 9, 1, 1), (1, 1), {}),
    ],
)
def test_layers_are_exact(weight, size, options):
    in_shape = (2, weight[1] * options.get("groups", 1), *size)
    assert_exact(int8_layer(random_weight(*weight), in_shape, **options))


def test_a_residual_is_added_before_rounding():
    residual = Residual(scale=0.3137, zero=9, low=-40.21, high=50.17)  # no ties in float32
    weight = random_weight(4, 3, 3, 3)
    assert_exact(int8_layer(weight, (1, 3, 8, 8), residual=residual, low=90, high=200))
