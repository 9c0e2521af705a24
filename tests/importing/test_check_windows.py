import numpy as np
import onnxruntime
import pytest
from onnx import helper

from tests.onnx_models import model_of
from tvm_patdnn.errors import ModelError
from tvm_patdnn.importing.check_windows import check_windows


def windowed(op="Conv", weight=(4, 3, 3, 3), shape=(1, 3, 8, 8), **given):
    weights = {"w": np.ones(weight, "f4")} if op.startswith("Conv") else {}
    node = helper.make_node(op, ["x", *weights], ["y"], name="n", **given)
    return model_of([node], inputs={"x": shape}, weights=weights)


def run(model):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    session.run(None, {"x": np.ones((1, 3, 8, 8), "f4")})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (windowed(strides=[-1, 1]), r"^'n' \(Conv\): strides is \[-1, 1\], expected numbers of at"),
        (windowed(strides=[0, 0]), r"strides is \[0, 0\]"),
        (windowed(dilations=[1, 0]), "dilations is"),
        (windowed(pads=[0, 0, -1, 0]), r"pads is \[0, 0, -1, 0\], expected numbers of at least 0"),
        (windowed("MaxPool", kernel_shape=[0, 2]), "kernel_shape is"),
        (windowed("ConvTranspose", weight=(3, 4, 2, 2), dilations=[0, 0]), "dilations is"),
        (
            windowed(kernel_shape=[3]),
            r"the kernel is \[3\], but the weight has shape \[4, 3",
        ),
        (windowed(kernel_shape=[2**31, 3]), "the kernel is"),
        (windowed(weight=(4, 3, 0, 0)), "the kernel is"),
        (windowed(strides=[1, 1, 1]), r"strides is \[1, 1, 1\], expected 2 numbers, as the input"),
        (windowed(pads=[1, 1]), r"pads is \[1, 1\], expected 4 numbers"),
        (windowed("AveragePool", kernel_shape=[2]), r"kernel_shape is \[2\], expected 2 numbers"),
    ],
)
def test_windows_that_no_reader_accepts(model, message):
    with pytest.raises(ModelError, match=message):
        check_windows(model)
    with pytest.raises(Exception, match="ONNXRuntime"):
        run(model)


def test_an_input_that_padding_makes_too_large():
    model = windowed(pads=[10**6] * 4, strides=[10**6] * 2)
    with pytest.raises(ModelError, match=r"padded input would have shape \[1, 3, 2000008, 2000"):
        check_windows(model)


@pytest.mark.parametrize(
    "model",
    [
        windowed(shape=(1, 3, 2, 8)),
        windowed(shape=(1, 3, 4, 8), dilations=[2, 1]),
        windowed(shape=(1, 3, 8, 1), pads=[0, 0, 0, 1], auto_pad="NOTSET"),
    ],
)
def test_a_kernel_that_is_larger_than_its_input(model):
    with pytest.raises(ModelError, match="its kernel covers .*, more than its padded input, .* wo"):
        check_windows(model)


@pytest.mark.parametrize(
    "model",
    [
        windowed(),
        windowed(shape=(1, 3, 3, 1), pads=[0, 1, 0, 1]),
        windowed(shape=(1, 3, 2, 2), auto_pad="SAME_UPPER"),
        windowed(pads=[1, 1, 1, 1], strides=[2, 2], kernel_shape=[3, 3]),
        windowed(weight=(4, 3, 5), shape=(1, 3, 9)),
        windowed("MaxPool", kernel_shape=[2, 2], dilations=[2, 2]),
        windowed("ConvTranspose", weight=(3, 4, 2, 2), strides=[1000, 1000]),
        windowed(shape=(1, "N", 8, 8)),
    ],
)
def test_sound_windows_pass(model):
    check_windows(model)
