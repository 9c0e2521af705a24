from tvm import relax

from relay_passes.int8.graph import Convolution, Quantize, Sum
from tests.relay_passes.int8.int8_modules import QuantisedNet, node_of, random_weight


def test_a_convolution_between_dequantize_and_quantize():
    net = QuantisedNet((1, 3, 8, 8))
    mod = net.module(
        lambda x: net.integers(net.quantised_conv(net.numbers(x), random_weight(4, 3, 3, 3)))
    )
    assert isinstance(node_of(mod).operator, Convolution)


def test_another_encoding_of_the_same_is_a_sum_of_one():
    net = QuantisedNet((1, 3, 8, 8))
    node = node_of(net.module(lambda x: net.integers(net.numbers(x))))
    assert (node.operator, len(node.inputs)) == (Sum(), 1)


def test_numbers_are_quantised():
    net = QuantisedNet((1, 3, 8, 8), dtype="float32")
    node = node_of(net.module(lambda x: net.integers(net(relax.op.tanh(x)))))
    assert isinstance(node.operator, Quantize)


def test_what_has_no_planes_is_left():
    net = QuantisedNet((1, 0, 2), dtype="float32")
    assert node_of(net.module(lambda x: net.integers(x))) is None
