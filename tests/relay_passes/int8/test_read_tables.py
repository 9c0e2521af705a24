import numpy as np
import pytest
from tvm import relax

from relay_passes.int8.graph import Int8Node, Quantize, Table
from tests.relay_passes.int8.int8_modules import (
    QuantisedNet,
    assert_within_a_step,
    node_of,
    planned,
)

FOUR = (1, 3, 4, 4)


def number(value: float) -> relax.Expr:
    return relax.const(np.full((1, 1, 1, 1), value, np.float32))


def hard_swish(x):
    gate = relax.op.clip(relax.op.add(relax.op.multiply(x, number(1 / 6)), number(0.5)), 0, 1)
    return relax.op.multiply(x, gate)


FUNCTIONS = {
    "sigmoid": relax.op.sigmoid,
    "leaky relu": lambda x: relax.op.nn.leakyrelu(x, 0.1),
    "gelu": relax.op.nn.gelu,
    "silu": relax.op.nn.silu,
    "a relu's exponential": lambda x: relax.op.exp(relax.op.nn.relu(x)),
    "hard swish": hard_swish,
    "where": lambda x: relax.op.where(relax.op.less(x, number(1)), relax.op.negative(x), number(3)),
}


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_a_byte_are_looked_up(name, dtype):
    net, zero = QuantisedNet((1, 16, 4, 4), dtype=dtype), 100 if dtype == "uint8" else -28

    def body(x):
        return net.integers(net(FUNCTIONS[name](net.numbers(x))), zero=zero, dtype=dtype)

    operators = assert_within_a_step(net.module(body), most=0.01)
    assert operators == ["stored_bytes", "look_up_planes", "plain_bytes"]


def test_a_table_of_a_table_is_one():
    net = QuantisedNet(FOUR)

    def body(x):
        inner = net.numbers(net.integers(net(relax.op.sigmoid(net.numbers(x)))), 0.05, 100)
        return net.integers(net(relax.op.multiply(net.numbers(x), inner)))

    mod = net.module(body)
    (node,) = [each for each in planned(mod).items if isinstance(each, Int8Node)]
    assert node.reads == tuple(mod["main"].params)
    assert assert_within_a_step(mod) == ["stored_bytes", "look_up_planes", "plain_bytes"]


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: relax.op.multiply(x, y),
        lambda x, y: relax.op.multiply(x, relax.const(np.ones((1, 3, 1, 1), np.float32))),
        lambda x, y: relax.op.log(x),
        lambda x, y: relax.op.nn.softmax(x),
    ],
    ids=["of two tensors", "of channels", "without a result for some", "of several bytes"],
)
def test_what_is_no_table_stays_on_numbers(function):
    net = QuantisedNet(FOUR, FOUR)
    body = lambda x, y: net.integers(net(function(net.numbers(x), net.numbers(y))))  # noqa: E731
    assert isinstance(node_of(net.module(body)).operator, Quantize)


def test_bytes_are_those_of_the_rounded_values():
    net = QuantisedNet(FOUR)
    body = lambda x: net.integers(net(relax.op.tanh(net.numbers(x, 0.02, 7))), 0.01, 3)  # noqa: E731
    node = node_of(net.module(body))
    assert isinstance(node.operator, Table)
    values = np.tanh((np.arange(256) - 7) * np.float32(0.02).astype(np.float64))
    expected = np.clip(np.rint(values / 0.01) + 3, 0, 255)
    assert np.array_equal(node.table, expected)
