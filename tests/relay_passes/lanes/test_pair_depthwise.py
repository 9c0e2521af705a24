import json

import pytest
from tvm import relax

from relay_passes.relax_ir.reported_layers import LAYERS_ATTRIBUTE
from tests.relay_passes.relax_modules import Net, random_array
from tests.relay_passes.test_rewrite_to_lanes import kernels, lanes

WIDE = random_array(6, 3, 1, 1)
DEEP = random_array(6, 1, 3, 3, seed=1)
JOINED = ["relayout", "dense_conv2d_depthwise_conv2d", "relayout"]
APART = ["relayout", "dense_conv2d", "depthwise_conv2d", "relayout"]


def relu6(net, x):
    return net(relax.op.clip(x, 0, 6))


def pair(net, x, **options):
    wide = relu6(net, net.conv(x, WIDE))
    return relu6(net, net.conv(wide, DEEP, groups=6, padding=1, **options))


@pytest.mark.parametrize("shape", [(1, 3, 9, 11), (2, 3, 14, 14), (1, 3, 1, 5)])
def test_a_wide_tensor_is_never_stored(shape):
    net = Net(shape)
    new = lanes(net.module(lambda x: pair(net, x)))
    assert kernels(new) == JOINED
    wide, deep = json.loads(new.attrs[LAYERS_ATTRIBUTE])
    assert (wide["joined"], deep["joined"]) == (False, True)
    assert deep["reason"] == f"in one kernel with {wide['name']}, whose planes stay in the cache"


@pytest.mark.parametrize("size", [16, 14])  # 14 is best in 7 steps, which a stride cannot halve
def test_strides(size):
    net = Net((1, 3, size, size))
    assert kernels(lanes(net.module(lambda x: pair(net, x, strides=2)))) == JOINED


def test_any_convolution_may_come_first():
    net = Net((1, 3, 8, 8))

    def body(x):
        wide = net.conv(x, random_array(6, 3, 3, 3), padding=1)
        return net.conv(wide, DEEP, groups=6, padding=1)

    assert kernels(lanes(net.module(body))) == JOINED


def test_epilogues_of_both():
    net = Net((1, 3, 8, 8), (1, 6, 8, 8), (1, 6, 8, 8))

    def body(x, before, after):
        wide = net(relax.op.add(net.conv(x, WIDE), before))
        return net(relax.op.add(net.conv(wide, DEEP, groups=6, padding=1), after))

    names = kernels(lanes(net.module(body)))
    assert "dense_conv2d_depthwise_conv2d" in names
    assert not {"dense_conv2d", "depthwise_conv2d"} & set(names)


def test_a_tensor_that_is_read_elsewhere_is_stored():
    net = Net((1, 3, 8, 8))

    def body(x):
        wide = net.conv(x, WIDE)
        return net.conv(wide, DEEP, groups=6, padding=1), net.conv(wide, WIDE[:, :1].repeat(6, 1))

    names = kernels(lanes(net.module(body)))
    assert "depthwise_conv2d" in names
    assert "dense_conv2d_depthwise_conv2d" not in names


def test_two_depthwise_convolutions_in_a_row_are_one_pair():
    net = Net((1, 3, 8, 8))

    def body(x):
        deep = net.conv(net.conv(x, WIDE), DEEP, groups=6, padding=1)
        return net.conv(deep, DEEP, groups=6, padding=1)

    expected = [*JOINED[:2], "depthwise_conv2d", "relayout"]
    assert kernels(lanes(net.module(body))) == expected


@pytest.mark.parametrize("groups", [1, 2])
def test_other_convolutions_are_no_pair(groups):
    net = Net((1, 3, 8, 8))
    weight = random_array(6, 6 // groups, 3, 3)
    new = lanes(net.module(lambda x: net.conv(net.conv(x, WIDE), weight, groups=groups, padding=1)))
    assert kernels(new) == ["relayout", "dense_conv2d", "dense_conv2d", "relayout"]


def test_a_plane_that_the_cache_does_not_hold_is_stored():
    net = Net((1, 64, 160, 160))
    wide = random_array(2, 64, 1, 1)

    def body(x):
        return net.conv(net.conv(x, wide), DEEP[:2], groups=2, padding=1)

    assert kernels(lanes(net.module(body), numbers=False)) == APART


def test_a_wide_tensor_in_another_layout_is_stored():
    net = Net((1, 3, 28, 28))  # 7 x 14 steps, which no stride of 2 can halve

    def body(x):
        wide = net.conv(x, random_array(6, 3, 3, 3), padding=1)
        return net.conv(wide, DEEP, groups=6, padding=1, strides=2)

    names = kernels(lanes(net.module(body)))
    assert names[:4] == ["relayout", "dense_conv2d", "relayout", "depthwise_conv2d"]
