import pytest
from tvm import relax

from relay_passes.int8.graph import Flatten, Quantize, View
from tests.relay_passes.int8.int8_modules import QuantisedNet, node_of


@pytest.mark.parametrize(
    ("shape", "view", "operator"),
    [
        ((2, 70, 1, 1), lambda x: relax.op.reshape(x, (2, 70)), View),
        ((1, 70, 1, 1), lambda x: relax.op.permute_dims(x, [0, 2, 3, 1]), View),
        ((1, 1, 1, 70), lambda x: relax.op.reshape(x, (1, 70)), View),
        ((2, 70, 1, 1), lambda x: relax.op.squeeze(x, [2, 3]), View),
        ((2, 3, 4, 5), lambda x: relax.op.reshape(x, (2, 60)), Flatten),
        ((2, 3, 4, 5), lambda x: relax.op.reshape(x, (2, 3, 20)), View),
        ((2, 3, 4, 5), lambda x: relax.op.reshape(x, (2, 6, 2, 5)), Quantize),
        ((2, 3, 4, 5), lambda x: relax.op.reshape(x, (1, 120)), Quantize),
        ((2, 3, 4, 5), lambda x: relax.op.permute_dims(x, [0, 2, 3, 1]), Quantize),
        ((2, 3, 4, 5), lambda x: relax.op.permute_dims(x), Quantize),
    ],
)
def test_views(shape, view, operator):
    net = QuantisedNet(shape)
    node = node_of(net.module(lambda x: net.integers(net(view(net.numbers(x))), 0.02, 7)))
    assert isinstance(node.operator, operator)
