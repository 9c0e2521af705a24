import numpy as np
from tvm import relax

from relay_passes.int8.graph import Convolution, Int8Node
from tests.relay_passes.int8.int8_modules import (
    QuantisedNet,
    assert_within_a_step,
    planned,
    random_weight,
)

W = random_weight(3, 3, 3, 3)


def block(net, x, scale=0.0517, result_is_read=False, weight=W):
    """A residual block; its inner result is quantised."""
    numbers = net.numbers(x)
    inner = net.integers(net.quantised_conv(numbers, weight, padding=1), scale, 120)
    total = net.integers(net(relax.op.add(numbers, net.numbers(inner, scale, 120))), 0.06, 90)
    return (total, inner) if result_is_read else total


def kinds(mod) -> list[str]:
    items = planned(mod).items
    return [type(each.operator).__name__ for each in items if isinstance(each, Int8Node)]


def test_a_sum_becomes_a_residual():
    net = QuantisedNet((1, 3, 8, 8))
    mod = net.module(lambda x: block(net, x))
    node = next(item for item in planned(mod).items if isinstance(item, Int8Node))
    assert isinstance(node.operator, Convolution)
    assert np.isclose(node.operator.low, -120 * 0.0517)
    assert np.isclose(node.operator.high, 135 * 0.0517)
    assert node.operator.rounded.scale == np.float32(0.0517)
    assert_within_a_step(mod)


def test_an_inner_result_that_is_clipped_stays_so():
    net = QuantisedNet((1, 3, 8, 8))
    assert_within_a_step(net.module(lambda x: block(net, x, scale=0.003)))


def test_an_inner_result_that_is_read_is_computed():
    net = QuantisedNet((1, 3, 8, 8))
    mod = net.module(lambda x: block(net, x, result_is_read=True))
    assert kinds(mod) == ["Convolution", "Sum"]
    assert_within_a_step(mod)


def test_the_later_of_two_convolutions_takes_the_sum():
    net = QuantisedNet((1, 3, 8, 8))

    def body(x):
        numbers = net.numbers(x)
        convs = [net.quantised_conv(numbers, random_weight(3, 3, 1, 1, seed=i)) for i in (0, 1)]
        terms = [net.numbers(net.integers(conv)) for conv in convs]
        return net.integers(net(relax.op.add(*terms)))

    plan = planned(net.module(body))
    first, second = (each for each in plan.items if isinstance(each, Int8Node))
    assert second.operator.residual.var.same_as(first.result)
