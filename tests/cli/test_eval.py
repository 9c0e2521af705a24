import json

import numpy as np
import onnx
import pytest
from onnx import helper
from PIL import Image

import tvm_patdnn
from tests.built import require_linker
from tests.onnx_models import model_of
from tvm_patdnn.cli import main

CLASSES = ("red", "green", "blue")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An ONNX file and a library of each kind that say which channel is brightest."""
    folder = tmp_path_factory.mktemp("eval")
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    weights = {"w": np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)}
    made = model_of(nodes, inputs={"x": (1, 3, 8, 8)}, weights=weights)
    facts = {"mean": "0.5,0.5,0.5", "std": "0.2,0.2,0.2", "classes": ",".join(CLASSES)}
    helper.set_model_props(made, facts)
    onnx.save(made, folder / "model.onnx")
    library = tvm_patdnn.build(made)
    require_linker(library)
    library.export_library(folder / "vm.so")
    library.export_standalone(folder / "alone.so", "net")
    return folder


@pytest.fixture
def images(tmp_path):
    """Two of three are what their folder says."""
    for i, name in enumerate(CLASSES):
        (tmp_path / "val" / name).mkdir(parents=True)
        for j in range(3):
            pixels = np.full((12, 16, 3), 40, np.uint8)
            pixels[..., i if j else (i + 1) % 3] = 200
            Image.fromarray(pixels).save(tmp_path / "val" / name / f"{j}.png")
    return tmp_path


@pytest.mark.parametrize("file", ["model.onnx", "vm.so", "alone.so"])
def test_accuracy(model, images, printed, file):
    found = json.loads(printed("eval", model / file, "--data", images, "--json"))
    assert found == {"images": 9, "top1": pytest.approx(200 / 3), "top5": 100}


def test_text_and_options(model, images, printed, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("green\nred\nblue\n")
    words = ("eval", model / "alone.so", "--data", images)
    assert "top-1   66.67 %" in printed(*words, "--crop=0.875", "--std=0.1")
    assert "top-1   33.33 %" in printed(*words, "--classes", names)
    assert "images  3\n" in printed(*words, "--limit=3")


def test_classes_without_a_folder_are_a_warning(model, images, capsys):
    (images / "val" / "red").rename(images / "red")
    words = ["eval", str(model / "alone.so"), "--data", str(images)]
    assert main(words) == 0
    assert capsys.readouterr().err.startswith(
        f"tvm-patdnn: warning: {images}/val: has folders of 2 of the 3 classes, so this is the"
    )
    assert main([*words, "-q"]) == 0
    assert capsys.readouterr().err == ""


def test_errors(model, files, images, failing, tmp_path):
    words = ("--data", images)
    assert "output 'y' has the shape [1, 8, 16, 16]; expected a score per" in failing(
        "eval", files / "model.so", *words
    )
    assert "none.txt: cannot be read" in failing(
        "eval", model / "alone.so", *words, "--classes", tmp_path / "none.txt"
    )
    assert "has no folders" in failing("eval", model / "alone.so", "--data", images / "val" / "red")


def test_run_names_the_classes_and_takes_a_folder(model, images, printed, tmp_path):
    words = ("run", model / "alone.so", "--input")
    text = printed(*words, f"x={images / 'val/red/1.png'}")
    assert text.splitlines()[1].startswith("  class 0 (red): 1.4")  # (200 / 255 - 0.5) / 0.2
    many = printed(*words, f"x={images / 'val/red'}", "--output", tmp_path / "out.npz")
    lines = [line.split(":")[:2] for line in many.splitlines()]
    assert lines == [
        ["0.png", " class 1 (green)"],
        ["1.png", " class 0 (red)"],
        ["2.png", " class 0 (red)"],
    ]
    with np.load(tmp_path / "out.npz") as stored:
        assert stored["y"].shape == (3, 1, 3)
    found = json.loads(printed(*words, f"x={images / 'val/red'}", "--json"))
    assert list(found["files"]) == ["0.png", "1.png", "2.png"]
    assert printed(*words, f"x={images / 'val/red/1.png'}", "--mean=0") != text


def test_run_makes_up_an_input(model, files, printed):
    text = printed("run", model / "alone.so", "--repeats=2")
    assert text.startswith(
        "computed from made-up numbers, the same each time; for your own: --input x=FILE\n"
        "y: float32 [1, 3]"
    )
    assert "y" in json.loads(printed("run", files / "model.so", "--json"))["outputs"]
