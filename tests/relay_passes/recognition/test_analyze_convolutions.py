import numpy as np
from tvm import relax

from relay_passes.recognition.analyze_convolutions import analyze_convolutions
from tests.relay_passes.relax_modules import Net, random_array
from tvm_patdnn.sparse.weight_key import weight_key


def test_every_convolution_is_described():
    first, second = random_array(4, 3, 3, 3), random_array(6, 2, 1, 1)
    first[:, 0] = 0
    net = Net((2, 3, 9, 9))

    def body(x):
        x = net.conv(x, first, strides=2, padding=(1, 0, 2, 1))
        return net.conv(net(relax.op.nn.relu(x)), second, groups=2, dilation=(1, 2))

    layers = analyze_convolutions(net.module(body), {weight_key(second): "head"})
    assert [layer.name for layer in layers] == ["lv", "head"]
    one, two = layers
    assert np.array_equal(one.weight, first)
    assert (one.stride, one.dilation, one.padding) == ((2, 2), (1, 1), (1, 0, 2, 1))
    assert (one.in_shape, one.out_shape) == ((2, 3, 9, 9), (2, 4, 5, 4))
    assert (two.groups, two.dilation, two.kernel_shape) == (2, (1, 2), (1, 1))
    assert one.dense_macs == 2 * 4 * 5 * 4 * 3 * 9
    assert one.kept_macs == one.dense_macs * 2 // 3
    assert one.found.kept_kernels == 8


def test_what_is_no_convolution_of_ours_is_left_out():
    net = Net((1, 3, 9, 9), (4, 3, 3, 3))

    def body(x, weight):
        computed = net(relax.op.nn.conv2d(x, weight))
        return net(relax.op.nn.relu(computed))

    assert analyze_convolutions(net.module(body)) == []


def test_half_precision_is_left_out():
    net = Net((1, 3, 9, 9), dtype="float16")
    mod = net.module(lambda x: net.conv(x, random_array(4, 3, 3, 3).astype(np.float16)))
    assert analyze_convolutions(mod) == []
