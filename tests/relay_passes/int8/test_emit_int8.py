import numpy as np
import pytest
from tvm import relax

from tests.relay_passes.int8.int8_modules import (
    QuantisedNet,
    assert_within_a_step,
    random_weight,
)
from tests.relay_passes.relax_modules import operators

W = random_weight(4, 3, 3, 3)


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_integers_in_and_out(dtype):
    net = QuantisedNet((2, 3, 9, 7), dtype=dtype)

    def body(x):
        result = net.quantised_conv(net.numbers(x), W, padding=1, strides=2)
        return net.integers(result, 0.05, 10, dtype)

    expected = ["stored_bytes", "int8_dense_conv2d", "plain_bytes"]
    assert assert_within_a_step(net.module(body)) == expected


def test_numbers_in_and_out():
    net = QuantisedNet((1, 3, 8, 8), dtype="float32")

    def body(x):
        conv = net.quantised_conv(net.numbers(net.integers(x, 0.02, 7)), W)
        return net.numbers(net.integers(conv))

    expected = ["quantize_planes", "int8_dense_conv2d", "dequantize_planes"]
    assert assert_within_a_step(net.module(body), step=0.02) == expected


def test_a_small_network():
    net = QuantisedNet((2, 3, 12, 12))

    def body(x):
        first = net.numbers(net.integers(net.quantised_conv(net.numbers(x), W, padding=1)))
        pooled = net.numbers(net.integers(net(relax.op.nn.max_pool2d(first, 2, 2)), 0.02, 7))
        both = net(relax.op.concat([pooled, pooled], axis=1))
        joined = net.numbers(net.integers(both, 0.03, 9), 0.03, 9)
        mean = net(relax.op.mean(joined, [2, 3], keepdims=True))
        flat = net.numbers(net.integers(mean, 0.01, 7), 0.01, 7)
        flat = net.numbers(net.integers(net(relax.op.reshape(flat, (2, 8))), 0.01, 7), 0.01, 7)
        matrix = net(relax.op.permute_dims(net.weight(random_weight(10, 8))))
        return net.integers(net(relax.op.matmul(flat, matrix)), 0.02, 128)

    # Two roundings of means may differ by a step, each of which the last layer enlarges.
    found = assert_within_a_step(net.module(body), step=3, most=0.3)
    assert found == [
        "stored_bytes", "int8_dense_conv2d", "max_planes", "join_planes", "mean_of_planes",
        "int8_dense_fully_connected", "plain_bytes",
    ]  # fmt: skip


def test_products_may_stay_numbers():
    net = QuantisedNet((3, 5))

    def body(x):
        matrix = net(relax.op.permute_dims(net.weight(random_weight(10, 5))))
        product = net(relax.op.matmul(net.numbers(x), matrix))
        biased = net(relax.op.add(product, relax.const(np.linspace(-9, 9, 10, dtype="float32"))))
        return net(relax.op.nn.softmax(net(relax.op.nn.relu(biased)), axis=1))

    expected = ["stored_bytes", "int8_dense_fully_connected", "relu", "softmax"]
    assert assert_within_a_step(net.module(body), step=1e-5) == expected


def test_a_product_that_is_read_as_numbers_and_as_bytes():
    net = QuantisedNet((1, 4, 3, 2))

    def body(x):  # of the whole plane, which is flattened once for both
        conv = net.quantised_conv(net.numbers(x), random_weight(8, 4, 3, 2))
        bytes_ = net.integers(conv, 0.01, 128)
        return net(relax.op.add(net.numbers(bytes_, 0.01, 128), net(relax.op.tanh(conv))))

    expected = [
        "stored_bytes", "flatten_planes", "int8_dense_fully_connected",
        "int8_dense_fully_connected", "dequantize_planes", "tanh", "add",
    ]  # fmt: skip
    found = assert_within_a_step(net.module(body), step=0.01)
    assert sorted(found) == sorted(expected)


def test_what_has_no_int8_kernel_computes_numbers():
    net = QuantisedNet((1, 3, 8, 8))

    weight = random_weight(2, 4, 1, 1)

    def body(x):
        first = net.integers(net.quantised_conv(net.numbers(x), W))
        bent = net.integers(net(relax.op.nn.softmax(net.numbers(first), axis=1)), 0.01, 128)
        return net.integers(net.quantised_conv(net.numbers(bent, 0.01, 128), weight))

    found = assert_within_a_step(net.module(body), step=2)
    expected = [
        "stored_bytes",
        "int8_dense_conv2d",
        "dequantize_planes",
        "softmax",
        "quantize_planes",
    ]
    assert found == [*expected, "int8_dense_conv2d", "plain_bytes"]


def test_a_tensor_is_copied_once_for_all_its_readers():
    net = QuantisedNet((1, 3, 8, 8))

    def body(x):
        numbers = net.numbers(x)
        convs = [net.quantised_conv(numbers, random_weight(4, 3, 1, 1, seed=i)) for i in (0, 1)]
        return tuple(net.integers(conv) for conv in convs)

    found = assert_within_a_step(net.module(body))
    assert found == [
        "stored_bytes",
        "int8_dense_conv2d",
        "int8_dense_conv2d",
        "plain_bytes",
        "plain_bytes",
    ]


def test_what_stays_on_numbers_is_left_as_it_is():
    net = QuantisedNet((1, 3, 8, 8))
    mod = net.module(lambda x: net.quantised_conv(net.numbers(x), W))
    assert sorted(assert_within_a_step(mod, step=1e-4)) == sorted(
        name for name in operators(mod) if name != "reshape"
    )


def test_shares_of_averages_are_constants():
    net = QuantisedNet((1, 3, 8, 8))

    def body(x):
        pooled = relax.op.nn.avg_pool2d(net.numbers(x), 3, 2, padding=1, count_include_pad=False)
        return net.integers(net(pooled), 0.0213, 9)

    expected = ["stored_bytes", "average_planes", "plain_bytes"]
    assert assert_within_a_step(net.module(body), most=0.02) == expected
