import numpy as np
import pytest
import tvm
from tvm import relax

from relay_passes.rewrite_fully_connected import RewriteFullyConnected
from tests.relay_passes.relax_modules import CPU, Net, const, operators, random_array, rewritten

MATRIX = random_array(7, 37)
BIAS = random_array(37, seed=1)


def packed(mod: tvm.IRModule, numbers: bool = True) -> list[str]:
    """The operators after the pass, without the reshapes around its kernels."""
    new = rewritten(RewriteFullyConnected(cpu=CPU), mod, numbers)
    return [name for name in operators(new) if name != "reshape"]


def product(net: Net, data: relax.Expr, matrix: np.ndarray = MATRIX) -> relax.Var:
    return net(relax.op.matmul(data, relax.const(matrix)))


@pytest.mark.parametrize("shape", [(1, 7), (7,), (2, 3, 7)])
def test_a_product_with_its_bias_and_relu_is_one_kernel(shape):
    net = Net(shape)
    mod = net.module(
        lambda x: net(relax.op.nn.relu(net(relax.op.add(product(net, x), relax.const(BIAS)))))
    )
    assert packed(mod) == ["fully_connected"]


def test_steps_are_applied_in_their_order():
    net = Net((2, 7))

    def body(x):
        y = net(relax.op.nn.relu(product(net, x)))
        return net(relax.op.add(y, relax.const(BIAS.reshape(1, -1))))

    assert packed(net.module(body)) == ["fully_connected"]


def test_a_product_that_is_read_twice_keeps_its_value():
    net = Net((2, 7))

    def body(x):
        y = product(net, x)
        return net(relax.op.add(net(relax.op.nn.relu(y)), y))

    assert packed(net.module(body)) == ["fully_connected", "relu", "add"]


def test_a_product_that_is_also_returned():
    net = Net((2, 7))

    def body(x):
        y = product(net, x)
        return y, net(relax.op.nn.relu(y))

    assert packed(net.module(body)) == ["fully_connected", "relu"]


def test_a_product_added_to_itself():
    net = Net((2, 7))

    def body(x):
        y = product(net, x)
        return net(relax.op.add(y, y))

    assert packed(net.module(body)) == ["fully_connected", "add"]


@pytest.mark.parametrize(
    "operand",
    [random_array(2, 37), random_array(2, 1), np.float32(3), random_array(3, 1, 37)],
    ids=["of each value", "of each row", "a number", "a broadcast"],
)
def test_what_is_no_bias_is_left(operand):
    net = Net((2, 7))
    mod = net.module(lambda x: net(relax.op.add(product(net, x), const(operand))))
    assert packed(mod) == ["fully_connected", "add"]


def test_a_single_output_has_no_bias_fused():
    net = Net((2, 1, 1, 7))
    mod = net.module(
        lambda x: net(relax.op.add(product(net, x, MATRIX[:, :1]), const(random_array(1))))
    )
    assert packed(mod) == ["fully_connected", "add"]


def test_products_after_each_other():
    net = Net((2, 7))

    def body(x):
        y = net(relax.op.nn.relu(product(net, x)))
        return product(net, y, random_array(37, 5))

    assert packed(net.module(body)) == ["fully_connected", "fully_connected1"]


@pytest.mark.parametrize("size", [(1, 1), (3, 4)])
def test_a_convolution_of_a_whole_plane_is_a_product(size):
    net = Net((2, 5, *size))

    def body(x):
        y = net.conv(x, random_array(6, 5, *size))
        y = net(relax.op.add(y, relax.const(random_array(1, 6, 1, 1))))
        return net(relax.op.nn.relu(y))

    assert packed(net.module(body)) == ["fully_connected"]


CONVS = {
    "padded": ((2, 4, 1, 1), (6, 4, 3, 3), {"padding": 1}),
    "grouped": ((2, 4, 1, 1), (6, 2, 1, 1), {"groups": 2}),
    "of a part": ((2, 4, 3, 3), (6, 4, 2, 2), {}),
    "channels last": ((2, 1, 1, 4), (6, 4, 1, 1), {"data_layout": "NHWC"}),
}


@pytest.mark.parametrize(("shape", "weight", "options"), CONVS.values(), ids=CONVS)
def test_other_convolutions_are_left(shape, weight, options):
    net = Net(shape)
    mod = net.module(lambda x: net.conv(x, random_array(*weight), **options))
    assert packed(mod, numbers=False) == ["conv2d"]


def test_computed_and_batched_matrices_are_left():
    net = Net((2, 7), (7, 5))
    mod = net.module(lambda x, y: net(relax.op.matmul(x, y)))
    assert packed(mod, numbers=False) == ["matmul"]
    net = Net((3, 2, 7))
    mod = net.module(lambda x: product(net, x, random_array(3, 7, 5)))
    assert packed(mod, numbers=False) == ["matmul"]


def test_half_precision_is_left():
    net = Net((2, 7), dtype="float16")
    mod = net.module(lambda x: product(net, x, MATRIX.astype(np.float16)))
    assert packed(mod, numbers=False) == ["matmul"]


def test_twice_is_once():
    net = Net((2, 7))
    once = RewriteFullyConnected(cpu=CPU)(net.module(lambda x: product(net, x)))
    assert operators(RewriteFullyConnected(cpu=CPU)(once)) == operators(once)


def pruned_product(net, x, kept: float) -> relax.Var:
    """A product of whose matrix whole vectors of outputs are gone, with bias and ReLU."""
    mask = np.random.default_rng(0).random((64, 4)) < kept
    matrix = random_array(64, 64) * np.repeat(mask, 16, axis=1)
    y = net(relax.op.add(product(net, x, matrix), relax.const(random_array(64))))
    return net(relax.op.nn.relu(y))


@pytest.mark.parametrize(
    ("kept", "kernel"),
    [(0.25, "sparse_fully_connected"), (0.95, "fully_connected"), (0, "sparse_fully_connected")],
)
def test_what_was_pruned_is_not_read(kept, kernel):
    net = Net((2, 64))
    assert packed(net.module(lambda x: pruned_product(net, x, kept))) == [kernel]


def test_sparse_kernels_can_be_switched_off():
    net = Net((2, 64))
    mod = net.module(lambda x: pruned_product(net, x, 0.25))
    new = rewritten(RewriteFullyConnected(cpu=CPU, sparse=False), mod, True)
    assert "fully_connected" in operators(new)
