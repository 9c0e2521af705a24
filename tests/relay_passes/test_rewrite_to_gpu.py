import numpy as np
import pytest
import tvm
from tvm import relax

from relay_passes.gpu.plan_gpu import GpuPlanOptions
from relay_passes.relax_ir.reported_layers import reported_layers
from relay_passes.rewrite_to_gpu import RewriteToGpu, report_of
from tests.gpu.opencl import require_opencl
from tests.gpu.opencl_modules import GPU, assert_same_on_opencl
from tests.relay_passes.relax_modules import Net, const, operators, random_array, rewritten

SHAPE = (1, 3, 9, 11)
W = random_array(4, 3, 3, 3)
SAME = random_array(4, 4, 3, 3, seed=1)
OPTIONS = GpuPlanOptions(gpu=GPU)


def kernels(mod: tvm.IRModule) -> list[str]:
    """The kernels and operators of "main" behind the pass, without reshapes and dead code."""
    new = rewritten(RewriteToGpu(options=OPTIONS), mod, numbers=False)
    new = relax.transform.DeadCodeElimination()(new)
    return [name.rstrip("0123456789") for name in operators(new) if name != "reshape"]


def after_conv(step, *shapes) -> tvm.IRModule:
    """A convolution 3 -> 4, padded, and ``step(net, its result, *inputs)`` after it."""
    net = Net(SHAPE, *shapes)
    return net.module(lambda x, *more: step(net, net.conv(x, W, padding=1), *more))


FUSED = {
    "bias": lambda net, x: net(relax.op.add(x, relax.const(random_array(1, 4, 1, 1)))),
    "relu": lambda net, x: net(relax.op.nn.relu(x)),
    "silu": lambda net, x: net(relax.op.nn.silu(x)),
    "relu6": lambda net, x: net(relax.op.clip(x, 0, 6)),
    "prelu": lambda net, x: net(relax.op.nn.prelu(x, relax.const(random_array(4)), 1)),
    "gate": lambda net, x: net(relax.op.multiply(x, net(relax.op.sigmoid(x)))),
    "tanh of a product": lambda net, x: net(relax.op.tanh(net(relax.op.multiply(x, const(0.5))))),
}


@pytest.mark.parametrize("step", FUSED.values(), ids=FUSED)
def test_what_is_fused(step):
    mod = after_conv(step)
    assert len(kernels(mod)) == 1
    assert_same_on_opencl(mod)


def test_a_residual_and_numbers_of_channels_are_operands():
    def step(net, x, residual, scale):
        scaled = net(relax.op.multiply(x, scale))
        return net(relax.op.nn.relu(net(relax.op.add(scaled, residual))))

    mod = after_conv(step, (1, 4, 9, 11), (1, 4, 1, 1))
    assert len(kernels(mod)) == 1
    assert_same_on_opencl(mod)


def test_several_images():
    net = Net((3, 3, 6, 5), (3, 4, 6, 5), (3, 4, 1, 1))

    def body(x, residual, scale):
        y = net(relax.op.add(net.conv(x, W, padding=1), residual))
        return net(relax.op.multiply(y, scale))

    assert_same_on_opencl(net.module(body))


def test_what_is_read_twice_is_computed():
    def step(net, x):
        return net(relax.op.nn.relu(x)), x

    mod = after_conv(step)
    assert [name for name in kernels(mod) if "conv2d" not in name] == ["relu"]
    assert_same_on_opencl(mod)


def test_operators_without_a_kernel_stay_between():
    def step(net, x):
        pooled = net(relax.op.nn.max_pool2d(x, (3, 3), (2, 2), (1, 1)))
        gated = net(relax.op.multiply(pooled, net(relax.op.sigmoid(pooled))))
        one = net.conv(gated, SAME, padding=1)
        two = net(relax.op.concat([one, gated], axis=1))
        mean = net(relax.op.reshape(net(relax.op.mean(two, [2, 3])), (1, 8)))
        return net(relax.op.nn.softmax(net(relax.op.matmul(mean, const(random_array(8, 5))))))

    mod = after_conv(step)
    names = kernels(mod)
    assert [i for i, name in enumerate(names) if "conv2d" in name] == [0, 4]
    assert_same_on_opencl(mod)


def test_strides_dilation_groups_and_uneven_padding():
    net = Net((2, 4, 11, 9))

    def body(x):
        y = net.conv(x, random_array(6, 2, 3, 3), strides=(2, 1), padding=(1, 0, 2, 3), groups=2)
        return net.conv(y, random_array(4, 6, 3, 3), dilation=(1, 2), padding=2)

    assert_same_on_opencl(net.module(body))


def test_the_report_is_that_of_the_plan():
    mod = after_conv(FUSED["relu"])
    planned = report_of(mod, OPTIONS)
    (row,) = reported_layers(RewriteToGpu(options=OPTIONS)(mod))
    assert [row] == planned
    assert row.out_shape == [1, 4, 9, 11]
    assert row.dense_macs == W.size * 99


def test_layers_can_be_left():
    options = GpuPlanOptions(gpu=GPU, leaves=lambda layer: layer.weight.shape[1] == 3)
    mod = after_conv(lambda net, x: net.conv(x, SAME, padding=1))
    new = relax.transform.DeadCodeElimination()(RewriteToGpu(options=options)(mod))
    left = [name for name in operators(new) if name != "reshape"]
    assert left[0] == "conv2d"
    assert "conv2d" not in left[1:]


def test_a_device_is_used():
    require_opencl()
    net = Net(SHAPE)
    program = assert_same_on_opencl(net.module(lambda x: net.conv(x, W)))
    assert np.prod(program.steps[0].launch.block) > 1
