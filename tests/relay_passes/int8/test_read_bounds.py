import numpy as np
import pytest
from tvm import relax

from tests.relay_passes.int8.int8_modules import (
    QuantisedNet,
    assert_within_a_step,
    node_of,
    random_weight,
)


@pytest.mark.parametrize(
    ("clip", "bounds"),
    [
        (relax.op.nn.relu, (100, 255)),
        (lambda x: relax.op.clip(x, 0, 6), (100, 220)),
        (lambda x: relax.op.maximum(x, relax.const(-1.0)), (80, 255)),
        (lambda x: relax.op.minimum(relax.const(2.0), x), (0, 140)),
        (lambda x: relax.op.minimum(relax.op.maximum(x, relax.const(0.0)), relax.const(6.0)),
         (100, 220)),
    ],
)  # fmt: skip
def test_bounds(clip, bounds):
    net = QuantisedNet((1, 3, 8, 8))
    node = node_of(net.module(lambda x: net.integers(net(clip(net.numbers(x))))))
    assert (node.low, node.high) == bounds


def test_a_maximum_of_two_tensors_is_no_bound():
    net = QuantisedNet((1, 3, 8, 8), (1, 3, 8, 8))
    body = lambda x, y: net.integers(net(relax.op.maximum(net.numbers(x), net.numbers(y))))  # noqa: E731
    assert node_of(net.module(body)).inputs == ()


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_integers_are_clipped_where_they_are_made(dtype):
    net = QuantisedNet((1, 3, 8, 8))

    def body(x):
        made = net.integers(
            net.quantised_conv(net.numbers(x), random_weight(4, 3, 3, 3)), dtype=dtype
        )
        low = net(relax.op.maximum(made, relax.const(np.array(3, dtype))))
        return net(relax.op.minimum(low, relax.const(np.array(100, dtype))))

    mod = net.module(body)
    assert assert_within_a_step(mod) == ["stored_bytes", "int8_dense_conv2d", "plain_bytes"]


def test_bytes_that_are_no_result_are_clipped_by_tvm():
    net = QuantisedNet((1, 3, 8, 8))
    body = lambda x: net(relax.op.minimum(x, relax.const(np.array(100, "uint8"))))  # noqa: E731
    assert node_of(net.module(body)) is None
