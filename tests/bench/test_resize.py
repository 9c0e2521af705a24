import numpy as np
import onnx
import onnxruntime
import pytest

from tests.bench.samples import small_network
from tests.onnx_models import model_of
from tvm_patdnn.bench.resize import resize_images
from tvm_patdnn.errors import BenchError


def test_a_convolutional_network_takes_another_size():
    model = small_network()
    before = model.SerializeToString()
    resized = resize_images(model, 12, "net")
    session = onnxruntime.InferenceSession(resized.SerializeToString())
    (output,) = session.run(None, {"x": np.zeros((1, 3, 12, 12), np.float32)})
    assert output.shape == (1, 4, 12, 12)
    assert model.SerializeToString() == before


def test_fully_connected_layers_fix_the_size():
    nodes = [
        onnx.helper.make_node("Flatten", ["x"], ["f"]),
        onnx.helper.make_node("Gemm", ["f", "w"], ["y"]),
    ]
    model = model_of(nodes, inputs={"x": (1, 3, 4, 4)}, weights={"w": np.ones((48, 2), np.float32)})
    with pytest.raises(BenchError, match=r"net: does not work on images of 8x8 .*; give a network"):
        resize_images(model, 8, "net")


def test_without_images_there_is_nothing_to_resize():
    model = model_of([onnx.helper.make_node("Relu", ["x"], ["y"])], inputs={"x": (1, 3)})
    with pytest.raises(BenchError, match="net: has no input .n, c, height, width. to give another"):
        resize_images(model, 8, "net")
