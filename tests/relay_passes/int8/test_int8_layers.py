import numpy as np
import pytest

from tests.relay_passes.int8.int8_modules import QuantisedNet, node_of, random_weight


def test_scales_and_zero_points_are_folded():
    net, weight = QuantisedNet((1, 3, 8, 8)), random_weight(4, 3, 3, 3)

    def body(x):
        return net.integers(net.quantised_conv(net.numbers(x, 0.02, 7), weight), 0.05, 100)

    layer = node_of(net.module(body)).int8
    random = np.random.default_rng(1)
    scales = random.uniform(0.002, 0.004, 4).astype(np.float32)
    bias = random.integers(-5000, 5000, 4)
    np.testing.assert_array_equal(layer.bias, bias - 7 * weight.sum((1, 2, 3), dtype=np.int64))
    expected = np.float32(0.02) * scales / np.float32(0.05)
    np.testing.assert_array_equal(layer.store.scale, expected)
    assert (layer.in_zero, layer.store.zero) == (7, 100)


@pytest.mark.parametrize("scale", [1e-12, 1e-7])
def test_what_float32_does_not_round_stays_on_numbers(scale):
    net = QuantisedNet((1, 3, 8, 8))

    def body(x):
        return net.integers(net.quantised_conv(net.numbers(x), random_weight(4, 3, 3, 3)), scale)

    assert node_of(net.module(body)).int8 is None
