import json

import numpy as np
import pytest
import tvm
from tvm import relax

from relay_passes.lanes.plan_lanes import PlanOptions
from relay_passes.relax_ir.reported_layers import LAYERS_ATTRIBUTE
from relay_passes.rewrite_to_lanes import RewriteToLanes
from tests.relay_passes.relax_modules import (
    CPU,
    Net,
    assert_same_numbers,
    const,
    operators,
    random_array,
    rewritten,
)
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.sparse.weight_key import weight_key

SHAPE = (1, 3, 9, 11)
W = random_array(4, 3, 3, 3)
SAME = random_array(4, 4, 3, 3, seed=1)


def lanes(mod: tvm.IRModule, numbers: bool = True, **options) -> tvm.IRModule:
    """Checks the numbers, too."""
    return rewritten(RewriteToLanes(options=PlanOptions(cpu=CPU, **options)), mod, numbers)


def rows(mod: tvm.IRModule) -> list[dict]:
    return json.loads(mod.attrs[LAYERS_ATTRIBUTE])


def kernels(mod: tvm.IRModule) -> list[str]:
    """The kernels of "main" in order, without the views of plain tensors."""
    return [name.rstrip("0123456789") for name in operators(mod) if name != "reshape"]


def after_conv(step, *shapes) -> tvm.IRModule:
    """A convolution 3 -> 4, padded, and ``step(net, its result, *inputs)`` after it."""
    net = Net(SHAPE, *shapes)
    return net.module(lambda x, *more: step(net, net.conv(x, W, padding=1), *more))


def test_a_convolution_between_relayouts():
    mod = after_conv(lambda net, x: x)
    new = lanes(mod)
    assert kernels(new) == ["relayout", "dense_conv2d", "relayout"]
    row = rows(new)[0]
    assert row["kernel"] == "dense"
    assert (row["in_shape"], row["out_shape"]) == ([1, 3, 9, 11], [1, 4, 9, 11])


FUSED = {
    "bias": lambda x: relax.op.add(x, relax.const(random_array(1, 4, 1, 1))),
    "bias on the left": lambda x: relax.op.add(relax.const(random_array(4, 1, 1)), x),
    "number": lambda x: relax.op.multiply(x, const(0.5)),
    "relu": relax.op.nn.relu,
    "leaky relu": lambda x: relax.op.nn.leakyrelu(x, 0.2),
    "prelu": lambda x: relax.op.nn.prelu(x, relax.const(random_array(4))),
    "clip": lambda x: relax.op.clip(x, 0, 6),
    "minimum": lambda x: relax.op.minimum(x, const(0.5)),
    "maximum": lambda x: relax.op.maximum(const(-0.5), x),
    "sigmoid": relax.op.sigmoid,
    "silu": relax.op.nn.silu,
    "tanh": relax.op.tanh,
    "exp": relax.op.exp,
    "subtract": lambda x: relax.op.subtract(x, relax.const(random_array(4, 1, 1))),
    "subtract from": lambda x: relax.op.subtract(const(1.0), x),
    "divide": lambda x: relax.op.divide(x, const(3.0)),
    "square": lambda x: relax.op.multiply(x, x),
}


@pytest.mark.parametrize("step", FUSED.values(), ids=FUSED)
def test_steps_are_fused(step):
    new = lanes(after_conv(lambda net, x: net(step(x))), numbers=False)
    assert kernels(new) == ["relayout", "dense_conv2d", "relayout"]


def test_all_steps_one_after_the_other():
    def body(net, x):
        for step in FUSED.values():
            x = net(step(x))
        return x

    assert kernels(lanes(after_conv(body))) == ["relayout", "dense_conv2d", "relayout"]


@pytest.mark.parametrize("name", ["leaky relu", "prelu", "subtract from", "minimum"])
def test_steps_that_a_later_one_would_hide(name):
    lanes(after_conv(lambda net, x: net(FUSED[name](x))))


LEFT = {
    "divide by it": lambda x: relax.op.divide(
        const(1.0), relax.op.add(relax.op.abs(x), const(1.0))
    ),
    "a number for each column": lambda x: relax.op.add(x, relax.const(random_array(11))),
    "a number for each value": lambda x: relax.op.add(x, relax.const(random_array(4, 9, 11))),
    "softmax": lambda x: relax.op.nn.softmax(x, axis=1),
    "a slope for each column": lambda x: relax.op.nn.prelu(
        x, relax.const(random_array(11)), axis=3
    ),
    "mean of the channels": lambda x: relax.op.mean(x, axis=1, keepdims=True),
    "concatenated rows": lambda x: relax.op.concat([x, x], axis=2),
    "a transpose": lambda x: relax.op.permute_dims(x, (0, 1, 3, 2)),
    "a broadcast": lambda x: relax.op.add(x, relax.const(random_array(2, 4, 9, 11))),
}


@pytest.mark.parametrize("step", LEFT.values(), ids=LEFT)
def test_what_is_not_ours_is_left(step):
    new = lanes(after_conv(lambda net, x: net(step(x))), numbers=False)
    assert kernels(new)[:2] == ["relayout", "dense_conv2d"]
    assert "relayout" in kernels(new)[2:]


@pytest.mark.parametrize("swap", [False, True])
def test_a_residual_is_fused_whichever_side_it_is_on(swap):
    def body(net, x):
        y = net.conv(net(relax.op.nn.relu(x)), SAME, padding=1)
        return net(relax.op.nn.relu(net(relax.op.add(*((x, y) if swap else (y, x))))))

    new = lanes(after_conv(body), numbers=swap)
    # The first ReLU is a kernel: what it is applied to is also the residual.
    expected = ["relayout", "dense_conv2d", "elementwise", "dense_conv2d", "relayout"]
    assert kernels(new) == expected


def test_a_residual_that_is_not_in_lanes_is_laid_out():
    mod = after_conv(lambda net, x, y: net(relax.op.add(x, y)), (1, 4, 9, 11))
    assert kernels(lanes(mod)).count("relayout") == 3


def test_a_scale_computed_for_each_channel_of_every_image():
    """Squeeze and excitation."""
    net = Net((2, 4, 6, 7))

    def body(x):
        y = net.conv(x, SAME, padding=1)
        mean = net(relax.op.mean(y, axis=[2, 3], keepdims=True))
        scale = net(relax.op.sigmoid(net.conv(mean, random_array(4, 4, 1, 1))))
        return net(relax.op.multiply(y, scale))

    new = lanes(net.module(body))
    assert "global_average_pool" in kernels(new)
    assert kernels(new)[-2:] == ["elementwise", "relayout"]


def test_hard_swish_written_out():
    def body(net, x):
        shifted = net(relax.op.add(x, const(3.0)))
        gate = net(relax.op.divide(net(relax.op.clip(shifted, 0, 6)), const(6.0)))
        return net(relax.op.multiply(x, gate))

    assert kernels(lanes(after_conv(body))) == ["relayout", "dense_conv2d", "relayout"]


def test_a_value_that_is_read_twice_is_computed_once():
    def body(net, x):
        return net(relax.op.nn.relu(x)), net(relax.op.sigmoid(x))

    new = lanes(after_conv(body))
    assert kernels(new).count("dense_conv2d") == 1
    assert kernels(new).count("elementwise") == 2


def test_a_value_added_to_itself():
    new = lanes(after_conv(lambda net, x: net(relax.op.add(x, x))))
    assert kernels(new) == ["relayout", "dense_conv2d", "elementwise", "relayout"]


def test_a_sum_that_is_returned_beside_its_terms():
    def body(net, x):
        y = net.conv(x, SAME, padding=1)
        return net(relax.op.add(x, y)), x, y

    assert kernels(lanes(after_conv(body))).count("dense_conv2d") == 2


def test_the_input_itself_may_be_returned():
    net = Net(SHAPE)
    lanes(net.module(lambda x: (net.conv(x, W), x)))


POOLS = {
    "max": lambda x: relax.op.nn.max_pool2d(x, (2, 2), (2, 2)),
    "max, padded": lambda x: relax.op.nn.max_pool2d(x, (3, 3), (2, 2), (1, 1, 1, 1)),
    "max, asymmetric": lambda x: relax.op.nn.max_pool2d(x, (3, 2), (2, 1), (0, 1, 1, 0)),
    "max, ceil": lambda x: relax.op.nn.max_pool2d(x, (2, 2), (2, 2), ceil_mode=True),
    "max, dilated": lambda x: relax.op.nn.max_pool2d(x, (2, 2), (1, 1), dilation=(2, 3)),
    "average": lambda x: relax.op.nn.avg_pool2d(x, (3, 3), (1, 1), (1, 1, 1, 1)),
    "average, counted": lambda x: relax.op.nn.avg_pool2d(
        x, (3, 3), (2, 2), (1, 1, 1, 1), count_include_pad=True
    ),
    "average, ceil": lambda x: relax.op.nn.avg_pool2d(x, (2, 2), (2, 2), ceil_mode=True),
}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_pooling(pool):
    new = lanes(after_conv(lambda net, x: net(relax.op.nn.relu(net(pool(x))))))
    # The pooling may ask for its input in another split; nothing leaves the lanes for it.
    expected = ["dense_conv2d", "pool2d", "elementwise"]
    assert [kernel for kernel in kernels(new) if kernel != "relayout"] == expected
    assert "reshape" not in operators(new)[2:-1]


def test_an_average_whose_windows_are_counted_up_to_the_padding_is_left():
    mod = after_conv(
        lambda net, x: net(
            relax.op.nn.avg_pool2d(
                x, (2, 2), (2, 2), (1, 1, 1, 1), ceil_mode=True, count_include_pad=True
            )
        )
    )
    assert "avg_pool2d" in kernels(lanes(mod, numbers=False))


@pytest.mark.parametrize(
    "mean",
    [
        lambda x: relax.op.mean(x, axis=[2, 3], keepdims=True),
        lambda x: relax.op.mean(x, axis=[-1, -2], keepdims=False),
        lambda x: relax.op.nn.adaptive_avg_pool2d(x, (1, 1)),
    ],
    ids=["kept", "dropped", "adaptive"],
)
def test_global_means(mean):
    new = lanes(after_conv(lambda net, x: net(relax.op.nn.relu(net(mean(x))))))
    assert "global_average_pool" in kernels(new)


def test_planes_are_joined_in_lanes():
    def body(net, x):
        y = net.conv(x, SAME, padding=1)
        return net(relax.op.nn.relu(net(relax.op.concat([x, y, x], axis=1))))

    new = lanes(after_conv(body))
    expected = ["relayout", "dense_conv2d", "dense_conv2d", "elementwise", "relayout"]
    assert kernels(new) == expected


@pytest.mark.parametrize(
    ("mode", "rounding", "ours"),
    [
        ("asymmetric", "floor", True),
        ("half_pixel", "round_prefer_floor", True),
        ("half_pixel", "round", True),
        ("align_corners", "round", False),
    ],
)
def test_nearest_neighbours_are_enlarged(mode, rounding, ours):
    def body(net, x):
        options = {"coordinate_transformation_mode": mode, "rounding_method": rounding}
        return net(
            relax.op.image.resize2d(
                x, (18, 22), layout="NCHW", method="nearest_neighbor", **options
            )
        )

    new = lanes(after_conv(body), numbers=ours)
    assert ("elementwise" in kernels(new)) == ours


def test_pixels_are_shuffled_in_lanes():
    """Against a reshape and a transpose, as TVM does not compile its own operator."""
    net, plain = Net(SHAPE), Net(SHAPE)

    def body(x):
        y = net(relax.op.nn.pixel_shuffle(net.conv(x, W, padding=1), 2))
        return net.conv(net(relax.op.nn.relu(y)), random_array(2, 1, 3, 3), padding=1)

    def written_out(x):
        y = plain(relax.op.reshape(plain.conv(x, W, padding=1), (1, 1, 2, 2, 9, 11)))
        y = plain(relax.op.permute_dims(y, (0, 1, 4, 2, 5, 3)))
        y = plain(relax.op.nn.relu(plain(relax.op.reshape(y, (1, 1, 18, 22)))))
        return plain.conv(y, random_array(2, 1, 3, 3), padding=1)

    new = lanes(net.module(body), numbers=False)
    expected = ["dense_conv2d", "elementwise", "dense_conv2d"]
    assert [kernel for kernel in kernels(new) if kernel != "relayout"] == expected
    assert_same_numbers(plain.module(written_out), new)


@pytest.mark.parametrize("size", [(18, 33), (9, 22), (5, 6)])
def test_other_sizes_are_left(size):
    def body(net, x):
        return net(
            relax.op.image.resize2d(
                x,
                size,
                layout="NCHW",
                method="nearest_neighbor",
                coordinate_transformation_mode="asymmetric",
                rounding_method="floor",
            )
        )

    assert "image.resize2d" in kernels(lanes(after_conv(body), numbers=False))


CONVS = {
    "stride 2": (random_array(5, 3, 3, 3), {"strides": 2, "padding": 1}),
    "VALID": (random_array(5, 3, 3, 3), {}),
    "padded after": (random_array(5, 3, 3, 3), {"strides": 2, "padding": (0, 0, 1, 1)}),
    "dilated": (random_array(5, 3, 3, 3), {"dilation": (2, 1), "padding": (2, 1)}),
    "1x1": (random_array(5, 3, 1, 1), {}),
    "1x1, stride 2": (random_array(5, 3, 1, 1), {"strides": 2}),
    "7x7": (random_array(5, 3, 7, 7), {"strides": 2, "padding": 3}),
    "grouped": (random_array(6, 1, 3, 3), {"groups": 3, "padding": 1}),
    "to one value": (random_array(5, 3, 9, 11), {}),
    "to one row": (random_array(5, 3, 9, 1), {}),
}


@pytest.mark.parametrize("conv", CONVS.values(), ids=CONVS)
def test_convolutions(conv):
    net = Net((2, *SHAPE[1:]))
    mod = net.module(lambda x: net(relax.op.nn.relu(net.conv(x, conv[0], **conv[1]))))
    new = lanes(mod)
    assert len(rows(new)) + kernels(new).count("conv2d") == 1


NOT_OURS = {
    "float16": ("float16", "NCHW", "OIHW"),
    "channels last": ("float32", "NHWC", "OIHW"),
}


@pytest.mark.parametrize(("dtype", "layout", "kernel"), NOT_OURS.values(), ids=NOT_OURS)
def test_convolutions_of_other_types_and_layouts_are_left(dtype, layout, kernel):
    net = Net((1, 3, 9, 3) if layout == "NHWC" else SHAPE, dtype=dtype)
    options = {"data_layout": layout, "kernel_layout": kernel}
    mod = net.module(lambda x: net.conv(x, W.astype(dtype), **options))
    new = lanes(mod, numbers=False)
    assert operators(new) == ["conv2d"]
    assert rows(new) == []


def test_computed_weights_are_left():
    net = Net(SHAPE, W.shape)
    new = lanes(net.module(lambda x, w: net(relax.op.nn.conv2d(x, w))), numbers=False)
    assert operators(new) == ["conv2d"]


def test_without_a_convolution_nothing_is_moved_to_lanes():
    net = Net(SHAPE)
    mod = net.module(
        lambda x: net(relax.op.nn.max_pool2d(net(relax.op.nn.relu(x)), (2, 2), (2, 2)))
    )
    assert operators(lanes(mod, numbers=False)) == ["relu", "max_pool2d"]


def pruned_weight(filters: int, channels: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    weight = rng.uniform(0.5, 1, (filters, channels, 3, 3)).astype(np.float32)
    weight[rng.random((filters, channels)) < 0.75] = 0
    weight[:, :, 0] = weight[:, :, :, 0] = 0
    return weight


def test_a_pruned_layer_is_computed_from_its_patterns_and_named():
    weight = pruned_weight(32, 32)
    net = Net((1, 32, 14, 14))
    mod = net.module(lambda x: net.conv(x, weight, padding=1))
    new = lanes(mod, names={weight_key(weight): "features.3"})
    assert kernels(new) == ["relayout", "pattern_conv2d", "relayout"]
    row = rows(new)[0]
    assert (row["name"], row["kernel"], row["patterns"]) == (
        "features.3",
        "pattern",
        [".../.##/.##"],
    )
    assert row["kept_macs"] == np.count_nonzero(weight) * 14 * 14
    assert row["bytes"] < row["csr_bytes"] < row["dense_bytes"]


def test_a_pruned_layer_may_be_computed_as_if_it_were_dense():
    net = Net((1, 32, 14, 14))
    mod = net.module(lambda x: net.conv(x, pruned_weight(32, 32), padding=1))
    new = lanes(mod, numbers=False, optimizations=Optimizations(sparse=False))
    assert "winograd_conv2d" in kernels(new)
    row = rows(new)[0]
    assert (row["kernel"], row["schedule"]["taps"]) == ("dense", "winograd")
    assert row["reason"].startswith("sparse kernels are switched off; Winograd's transforms of ")


def test_a_layer_without_weights():
    net = Net(SHAPE)
    mod = net.module(lambda x: net(relax.op.nn.relu(net.conv(x, 0 * W, padding=1))))
    assert rows(lanes(mod))[0]["compression"] is None


def test_a_stride_keeps_the_lanes_where_it_halves_them():
    net = Net((1, 3, 32, 32))

    def body(x):
        x = net.conv(x, W, padding=1)
        x = net(relax.op.nn.max_pool2d(x, (2, 2), (2, 2)))
        return net.conv(x, SAME, padding=1, strides=2)

    new = lanes(net.module(body))
    assert kernels(new) == ["relayout", "dense_conv2d", "pool2d", "dense_conv2d", "relayout"]


def test_twice_is_once():
    once = RewriteToLanes(options=PlanOptions(cpu=CPU))(
        after_conv(lambda net, x: net(relax.op.nn.relu(x)))
    )
    again = RewriteToLanes(options=PlanOptions(cpu=CPU))(once)
    assert operators(again) == operators(once)
