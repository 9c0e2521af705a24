import math

import numpy as np
import pytest
from tvm import relax

from relay_passes.int8.drafts import Draft, Known, finish
from relay_passes.int8.encodings import Encoding
from relay_passes.int8.graph import Encoded, Sum, View
from tests.relay_passes.int8.int8_modules import QuantisedNet, node_of, random_weight


def tensor(scale: float = 1.0) -> Encoded:
    var = relax.Var("x", relax.TensorType((1, 4), "uint8"))
    return Encoded(var, Encoding(scale=scale, zero=0))


def test_bounds_narrow():
    draft = Draft(operator=Sum(), inputs=(tensor(),))
    assert not draft.is_bounded
    bounded = draft.within(0, math.inf).within(-2, 6)
    assert (bounded.low, bounded.high) == (0, 6)
    assert bounded.is_bounded


def test_bounds_become_bytes():
    draft = Draft(operator=Sum(), inputs=(tensor(),)).within(0, 6)
    node = finish(draft, tensor().var, Encoding(scale=0.5, zero=10))
    assert (node.low, node.high) == (10, 22)


def test_bytes_that_are_kept_need_the_same_encoding():
    draft = Draft(operator=View(), inputs=(tensor(),))
    assert finish(draft, tensor().var, tensor().encoding) is not None
    assert finish(draft, tensor().var, tensor(0.5).encoding) is None


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


def test_what_is_known_of_constants():
    known = Known()
    np.testing.assert_array_equal(known.values(relax.const([1.0, 2.0])), [1, 2])
    assert known.integers(relax.const([1.0])) is None
    assert known.draft(relax.const([1.0])) is None
