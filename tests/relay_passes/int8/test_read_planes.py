import pytest
from tvm import relax

from relay_passes.int8.graph import Averages, Enlargement, Join, Maxima, Means, Quantize
from tests.relay_passes.int8.int8_modules import QuantisedNet, node_of


def enlarged(x, factor: int = 2):
    size = tuple(int(n) * factor for n in x.ty.shape.values[2:])
    return relax.op.image.resize2d(
        x, size, method="nearest_neighbor", coordinate_transformation_mode="asymmetric",
        rounding_method="floor", layout="NCHW",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "made", "operator"),
    [
        ((1, 3, 8, 8), lambda x: relax.op.nn.max_pool2d(x, (2, 2), (2, 2)), Maxima),
        ((1, 3, 8, 8), lambda x: relax.op.nn.avg_pool2d(x, (2, 2), (2, 2)), Averages),
        ((1, 3, 8, 8), lambda x: relax.op.nn.avg_pool2d(x, (8, 8)), Means),
        ((1, 3, 8, 8), lambda x: relax.op.mean(x, [2, 3], keepdims=True), Means),
        ((1, 3, 8, 8), enlarged, Enlargement),
        ((1, 3, 8, 8), lambda x: relax.op.concat([x, x], axis=1), Join),
        ((1, 3, 8, 8), lambda x: relax.op.concat([x, x], axis=2), Quantize),
        ((1, 3, 1, 1), lambda x: relax.op.nn.max_pool2d(x, (1, 1)), Quantize),
        ((1, 4, 8, 8), lambda x: relax.op.nn.pixel_shuffle(x, 2), Quantize),
    ],
)
def test_operators(shape, made, operator):
    net = QuantisedNet(shape)
    node = node_of(net.module(lambda x: net.integers(net(made(net.numbers(x))), 0.02, 7)))
    assert isinstance(node.operator, operator)


def test_a_concatenation_with_numbers_is_left():
    net = QuantisedNet((1, 3, 8, 8))

    def body(x):
        numbers = net.numbers(x)
        return net.integers(net(relax.op.concat([numbers, net(relax.op.tanh(numbers))], axis=1)))

    assert isinstance(node_of(net.module(body)).operator, Quantize)
