import numpy as np
import pytest

from relay_passes.recognition.analyze_convolutions import analyze_convolutions
from relay_passes.relax_ir.values import shape_of
from tests.relay_passes.relax_modules import Net, operators, random_array, rewritten, run_module
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import (
    ConvShape,
    channels_last,
    tuned_function,
)

SHAPE = ConvShape(
    in_shape=(1, 6, 9, 11),
    weight_shape=(8, 3, 3, 5),
    stride=(2, 1),
    dilation=(1, 2),
    padding=(1, 2, 0, 3),
    groups=2,
)


def test_the_shape_of_a_layer_is_that_of_the_module_made_of_it():
    (layer,) = analyze_convolutions(SHAPE.module())
    assert ConvShape.of(layer) == SHAPE
    assert len({SHAPE, ConvShape.of(layer)}) == 1


def test_the_module_is_the_convolution_with_a_bias_and_a_relu():
    weight, bias = SHAPE.weights()
    net = Net(SHAPE.in_shape)
    plain = net.module(
        lambda x: net.conv(
            x,
            weight,
            strides=SHAPE.stride,
            dilation=SHAPE.dilation,
            padding=SHAPE.padding,
            groups=2,
        )
    )
    data = random_array(*SHAPE.in_shape)
    (expected,) = run_module(plain, data)
    (got,) = run_module(SHAPE.module(), data)
    expected = np.maximum(expected + bias.reshape(1, -1, 1, 1), 0)
    assert 0 < np.count_nonzero(expected) < expected.size
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "3x5/2, 6->8@9x11, 2 groups"),
        ({"stride": (1, 1), "groups": 1, "in_shape": (1, 3, 9, 11)}, "3x5, 3->8@9x11"),
    ],
)
def test_a_shape_is_written_for_people(changes, text):
    assert str(ConvShape(**{**vars(SHAPE), **changes})) == text


def test_channels_go_last_and_weights_are_constants():
    mod = SHAPE.module()
    for each in channels_last():
        mod = rewritten(each, mod)
    assert operators(mod) == ["permute_dims", "conv2d", "add", "relu", "permute_dims"]
    conv = next(
        binding.value
        for binding in mod["main"].body.blocks[0].bindings
        if getattr(getattr(binding.value, "op", None), "name", "") == "relax.nn.conv2d"
    )
    assert (conv.attrs.data_layout, conv.attrs.kernel_layout) == ("NHWC", "HWIO")
    assert shape_of(conv.args[1]) == (3, 5, 3, 8)


def test_the_weight_of_the_tuned_function_may_be_laid_out_anew():
    func = tuned_function(SHAPE)
    (number,) = (int(each) for each in func.attrs["layout_free_buffers"])
    assert [int(n) for n in func.params[number].shape] == [3, 5, 3, 8]
