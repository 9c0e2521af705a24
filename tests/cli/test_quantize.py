import json

import numpy as np
import onnx
import pytest
from PIL import Image

from tests.onnx_models import conv_model, model_of
from tvm_patdnn.cli import main


@pytest.fixture
def data(tmp_path):
    """A model and a folder of images."""
    onnx.save(conv_model(), tmp_path / "model.onnx")
    folder = tmp_path / "images" / "cat"
    folder.mkdir(parents=True)
    for i in range(5):
        pixels = np.random.default_rng(i).integers(0, 256, (10, 12, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path


def test_text_and_json(data, printed):
    words = ("quantize", data / "model.onnx", "-o", data / "int8.onnx", "--data", data / "images")
    assert printed(*words, "--mean=0") == "1 of 1 layers in int8, by 5 files\n"
    found = json.loads(printed(*words, "--limit=2", "--std=0.2", "--json"))
    assert found == {"layers": 1, "int8": 1, "files": 2}
    report = json.loads(printed("inspect", data / "int8.onnx", "--json"))
    assert [layer["dtype"] for layer in report["layers"]] == ["int8"]


def test_how_images_are_scaled_is_not_guessed_silently(data, capsys):
    words = ["quantize", "model.onnx", "-o", "int8.onnx", "--data", "images", "--limit=1"]
    assert main([str(data / w) if "." in w or w == "images" else w for w in words]) == 0
    said = capsys.readouterr().err
    assert f"tvm-patdnn: warning: {data}/model.onnx: does not say how its images are" in said
    assert "if it was trained on others, give --mean and --std" in said


def test_arrays(data, printed):
    (data / "arrays").mkdir()
    np.save(data / "arrays" / "x.npy", np.ones((1, 3, 8, 8), np.float32))
    words = ("quantize", data / "model.onnx", "-o", data / "int8.onnx", "--data", data / "arrays")
    assert printed(*words) == "1 of 1 layers in int8, by 1 files\n"


def test_folders_without_files(data, failing):
    words = ("quantize", data / "model.onnx", "-o", data / "int8.onnx", "--data")
    assert "nowhere: no such folder; give one with inputs" in failing(*words, data / "nowhere")
    (data / "empty").mkdir()
    assert "there is no file in it to quantise by" in failing(*words, data / "empty")
    assert not (data / "int8.onnx").exists()


def test_models_of_several_inputs(data, failing):
    node = onnx.helper.make_node("MatMul", ["a", "b"], ["y"])
    onnx.save(model_of([node], inputs={"a": (2, 2), "b": (2, 2)}), data / "two.onnx")
    said = failing("quantize", data / "two.onnx", "-o", data / "o.onnx", "--data", data / "images")
    assert "has inputs a, b; expected one: quantise it from Python" in said


def test_sizes_that_are_not_known(data, failing):
    model = conv_model()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.save(model, data / "any.onnx")
    said = failing("quantize", data / "any.onnx", "-o", data / "o.onnx", "--data", data / "images")
    assert said.startswith("tvm-patdnn: error: input 'x' has shape [N, 3, 8, 8]: expected fixed")
