import numpy as np
import pytest
import tvm
from tvm import relax

from relay_passes.fold_batch_norm import FoldBatchNorm
from relay_passes.relax_ir.values import constant_value, operator_name
from tests.relay_passes.relax_modules import (
    Net,
    bindings_of,
    operators,
    random_array,
    rewritten,
    run_module,
)

SHAPE = (1, 3, 6, 6)
WEIGHT = random_array(4, 3, 3, 3)


def batch_norm(data: relax.Expr, channels: int, axis: int = 1, dtype=np.float32, **options):
    """A batch norm of inference with random statistics."""
    gamma, beta, mean = (random_array(channels, seed=seed).astype(dtype) for seed in (1, 2, 3))
    variance = np.abs(random_array(channels, seed=4)).astype(dtype) + dtype(0.5)
    stored = [relax.const(value) for value in (gamma, beta, mean, variance)]
    options = {"training": False, "epsilon": 1e-3, **options}
    return relax.op.nn.batch_norm(data, *stored, axis=axis, **options)


def conv_norm(net: Net, weight: np.ndarray = WEIGHT, options=None, **norm) -> tvm.IRModule:
    def body(x):
        data = net.conv(x, weight, **(options or {}))
        return net(net(batch_norm(data, len(weight), **norm))[0])

    return net.module(body)


def stored_weight(mod: tvm.IRModule) -> np.ndarray:
    convs = [b.value for b in bindings_of(mod) if operator_name(b.value) == "relax.nn.conv2d"]
    return constant_value(convs[0].args[1])


@pytest.mark.parametrize(
    ("weight", "options"),
    [
        (WEIGHT, {"padding": 1, "strides": 2}),
        (random_array(6, 1, 3, 3), {"groups": 3}),
    ],
    ids=["plain", "grouped"],
)
def test_a_convolution_takes_it_in(weight, options):
    new = rewritten(FoldBatchNorm(), conv_norm(Net(SHAPE), weight, options))
    assert operators(new) == ["conv2d", "add"]


@pytest.mark.parametrize("norm", [{"scale": False}, {"center": False}, {"axis": -3}])
def test_the_options_of_a_batch_norm(norm):
    new = rewritten(FoldBatchNorm(), conv_norm(Net(SHAPE), **norm))
    assert operators(new) == ["conv2d", "add"]


def test_zeros_of_the_weight_stay_zeros():
    weight = WEIGHT * (random_array(*WEIGHT.shape, seed=5) > 0)
    new = rewritten(FoldBatchNorm(), conv_norm(Net(SHAPE), weight))
    assert np.array_equal(stored_weight(new) == 0, weight == 0)


def test_a_convolution_with_channels_last():
    weight = random_array(4, 3, 3, 3)
    options = {"data_layout": "NHWC", "kernel_layout": "OIHW", "out_layout": "NHWC"}
    new = rewritten(FoldBatchNorm(), conv_norm(Net((1, 6, 6, 3)), weight, options, axis=3))
    assert operators(new) == ["conv2d", "add"]


def test_an_axis_that_is_not_the_filters_is_not_folded_in():
    weight = random_array(4, 3, 3, 3)  # 4 filters, and 4 columns in the result
    new = rewritten(FoldBatchNorm(), conv_norm(Net(SHAPE), weight, axis=3))
    assert operators(new) == ["conv2d", "multiply", "add"]
    assert np.array_equal(stored_weight(new), weight)


def test_after_anything_else_it_becomes_two_operators():
    net = Net(SHAPE)
    new = rewritten(
        FoldBatchNorm(), net.module(lambda x: net(net(batch_norm(net(relax.op.exp(x)), 3))[0]))
    )
    assert operators(new) == ["exp", "multiply", "add"]


def test_a_convolution_that_is_read_elsewhere_keeps_its_weight():
    net = Net(SHAPE)

    def body(x):
        data = net.conv(x, WEIGHT)
        return net(relax.op.add(net(net(batch_norm(data, 4))[0]), data))

    new = rewritten(FoldBatchNorm(), net.module(body))
    assert operators(new) == ["conv2d", "multiply", "add", "add"]


def test_a_convolution_that_is_also_a_result_keeps_its_weight():
    net = Net(SHAPE)

    def body(x):
        data = net.conv(x, WEIGHT)
        return net(net(batch_norm(data, 4))[0]), data

    new = rewritten(FoldBatchNorm(), net.module(body))
    assert operators(new)[0:2] == ["conv2d", "multiply"]


def test_computed_weights_and_statistics_are_left_alone():
    net = Net(SHAPE, WEIGHT.shape)

    def body(x, weight):
        data = net(relax.op.nn.conv2d(x, weight))
        return net(net(batch_norm(data, 4))[0])

    new = rewritten(FoldBatchNorm(), net.module(body))
    assert operators(new) == ["conv2d", "multiply", "add"]

    net = Net(SHAPE, (3,))

    def computed(x, gamma):
        rest = [relax.const(random_array(3, seed=n) ** 2) for n in range(3)]
        norm = net(relax.op.nn.batch_norm(x, gamma, *rest, axis=1, training=False))
        return net(norm[0])

    new = rewritten(FoldBatchNorm(), net.module(computed))
    assert operators(new) == ["batch_norm"]


def test_training_is_left_alone():
    mod = conv_norm(Net(SHAPE), training=True)
    assert operators(rewritten(FoldBatchNorm(), mod)) == ["conv2d", "batch_norm"]


def test_statistics_that_are_read_keep_the_batch_norm():
    net = Net(SHAPE)

    def body(x):
        norm = net(batch_norm(net.conv(x, WEIGHT), 4))
        return net(norm[0]), net(norm[1])

    assert operators(rewritten(FoldBatchNorm(), net.module(body))) == ["conv2d", "batch_norm"]


def test_half_precision_stays_half():
    mod = conv_norm(
        Net(SHAPE, dtype="float16"), random_array(4, 3, 3, 3).astype(np.float16), dtype=np.float16
    )
    new = rewritten(FoldBatchNorm(), mod, numbers=False)  # TVM's own has float32 results here
    assert operators(new) == ["conv2d", "add"]
    assert stored_weight(new).dtype == np.float16
    data = random_array(*SHAPE, seed=9)
    (got,) = run_module(new, data.astype(np.float16))
    (expected,) = run_module(conv_norm(Net(SHAPE)), data)
    assert got.dtype == np.float16
    np.testing.assert_allclose(got, expected, rtol=2e-2, atol=2e-2)


def test_twice_is_once():
    once = FoldBatchNorm()(conv_norm(Net(SHAPE)))
    tvm.ir.assert_structural_equal(FoldBatchNorm()(once), once)
