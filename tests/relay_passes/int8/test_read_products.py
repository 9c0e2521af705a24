import numpy as np
import pytest
from tvm import relax

from relay_passes.int8.graph import Convolution, Quantize, Sum
from tests.relay_passes.int8.int8_modules import QuantisedNet, node_of, random_weight


def test_a_matrix_product_is_flat():
    net = QuantisedNet((2, 30))

    def body(x):
        matrix = net(relax.op.permute_dims(net.weight(random_weight(5, 30), 0.01)))
        product = net(relax.op.matmul(net.numbers(x), matrix))
        return net.integers(net(relax.op.add(product, net.weight(random_weight(5), 0.01))))

    node = node_of(net.module(body))
    assert node.int8.flat
    assert node.int8.in_shape == (2, 30, 1, 1)


@pytest.mark.parametrize(
    ("shape", "weight", "options", "operator"),
    [
        ((1, 3, 4, 5), (6, 3, 4, 5), {}, Convolution),
        ((1, 3, 1, 1), (6, 3, 1, 1), {}, Convolution),
        ((1, 3, 4, 5), (6, 3, 3, 3), {"strides": 4}, Quantize),
        ((1, 3, 1, 1), (6, 3, 3, 3), {"padding": 1}, Quantize),
    ],
)
def test_results_of_one_value(shape, weight, options, operator):
    net = QuantisedNet(shape)
    made = random_weight(*weight)
    node = node_of(
        net.module(lambda x: net.integers(net.quantised_conv(net.numbers(x), made, **options)))
    )
    assert isinstance(node.operator, operator)
    assert node.int8 is None or node.int8.flat


def test_weights_beyond_int8_are_left():
    net = QuantisedNet((1, 3, 8, 8))
    weight = random_weight(4, 3, 3, 3).astype(np.int32) * 2
    node = node_of(net.module(lambda x: net.integers(net.quantised_conv(net.numbers(x), weight))))
    assert isinstance(node.operator, Quantize)


@pytest.mark.parametrize("exchanged", [False, True])
def test_sums_of_two_tensors(exchanged):
    net = QuantisedNet((1, 3, 8, 8), (1, 3, 8, 8))

    def body(x, y):
        terms = [net.numbers(x, 0.02), net.numbers(y, 0.03)]
        return net.integers(net(relax.op.add(*(terms[::-1] if exchanged else terms))))

    node = node_of(net.module(body))
    assert node.operator == Sum()
    assert [each.encoding.scale for each in node.inputs] != [0.02, 0.02]


def test_a_residual_that_is_added_before_the_quantize():
    net = QuantisedNet((1, 3, 8, 8))

    def body(x):
        numbers = net.numbers(x)
        result = net.quantised_conv(numbers, random_weight(3, 3, 3, 3), padding=1)
        return net.integers(net(relax.op.add(numbers, net(relax.op.nn.relu(result)))))

    conv = node_of(net.module(body)).operator
    assert (conv.residual.encoding.zero, conv.low, conv.high) == (7, 0, np.inf)


@pytest.mark.parametrize("added", [relax.const(np.ones((1, 4, 6, 6), "f")), relax.const([1.0])])
def test_only_a_bias_of_the_filters_is_folded(added):
    net = QuantisedNet((1, 3, 8, 8))

    def body(x):
        result = net.quantised_conv(net.numbers(x), random_weight(4, 3, 3, 3))
        return net.integers(net(relax.op.add(result, added)))

    folds = added.ty.ndim == 1
    assert isinstance(node_of(net.module(body)).operator, Convolution if folds else Quantize)
