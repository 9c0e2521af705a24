import json

import numpy as np
import onnx
import pytest
from PIL import Image

import tvm_patdnn
from tests.built import inputs, library, network, require_linker


@pytest.fixture
def run(files, printed):
    def run(*words):
        return printed("run", files / "model.so", *words)

    return run


def test_prints_a_summary_and_writes_the_outputs(files, run, tmp_path):
    path = tmp_path / "out.npz"
    text = run("--input", f"x={files / 'x.npy'}", "--output", path)
    expected = library().run(inputs())["y"]
    with np.load(path) as stored:
        assert list(stored) == ["y"]
        assert (stored["y"] == expected).all()
    low, high = f"{expected.min():.6g}", f"{expected.max():.6g}"
    assert text == f"y: float32 [1, 8, 16, 16], {low} to {high}\n"
    assert list(tmp_path.iterdir()) == [path]


def test_latency(files, run):
    words = ("--input", f"x={files / 'x.npy'}", "--repeats", 3)
    assert "best of 3 runs" in run(*words)
    latency = json.loads(run(*words, "--json"))["latency"]
    assert latency["repeats"] == 3
    assert 0 < latency["min_s"] <= latency["median_s"] <= latency["p90_s"] <= latency["p99_s"]


def test_threads(files, run, failing):
    words = ("--input", f"x={files / 'x.npy'}", "--threads")
    assert run(*words, 1).startswith("y: float32 [1, 8, 16, 16]")
    words = ("run", files / "model.so", *words)
    assert "num_threads=100000: expected 1 to" in failing(*words, 100_000)


def test_an_image(run, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    run(
        *("--input", f"x={tmp_path / 'image.png'}", "--output", tmp_path / "out.npz"),
        *("--scale", 0.5, "--mean", "1,2,3", "--std", "4"),
    )
    values = ((pixels * 0.5 - [1, 2, 3]) / 4).astype("float32").transpose(2, 0, 1)[None]
    expected = library().run({"x": values})["y"]
    with np.load(tmp_path / "out.npz") as stored:
        assert np.abs(stored["y"] - expected).max() < 1e-5 * np.abs(expected).max()


def test_an_image_of_a_model_that_says_how_it_is_normalised(printed, tmp_path):
    model = onnx.ModelProto()
    model.CopyFrom(network())
    onnx.helper.set_model_props(model, {"mean": "0.5,0.25,0", "std": "1,2,4"})
    require_linker(library())
    tvm_patdnn.build(model, lazy=True).export_standalone(tmp_path / "said.so", header=False)
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    words = ["run", tmp_path / "said.so", "--input", f"x={tmp_path / 'image.png'}"]
    said = printed(*words)
    assert said == printed(*words, "--mean", "0.5,0.25,0", "--std", "1,2,4")
    assert said != printed(*words, "--mean", "0", "--std", "1")


def test_wrong_inputs(files, failing, misused, tmp_path):
    words = ("run", files / "model.so", "--input")
    np.save(tmp_path / "small.npy", np.zeros((1, 3, 8, 8), "float32"))
    assert "expected ['x']; missing: ['x']; unknown: ['data']" in failing(
        *words, f"data={files / 'x.npy'}"
    )
    assert "input 'x': got float32 of shape [1, 3, 8, 8], expected" in failing(
        *words, f"x={tmp_path / 'small.npy'}"
    )
    assert "none.npy: cannot be read: No such file" in failing(*words, "x=none.npy")
    assert "'image.png' is not an input; expected NAME=FILE" in misused(*words, "image.png")


def test_wrong_libraries(files, failing, tmp_path):
    words = ("--input", f"x={files / 'x.npy'}")
    assert "none.so: cannot be read: No such file" in failing("run", tmp_path / "none.so", *words)
    assert "is not a shared library" in failing("run", files / "x.npy", *words)


def test_unwritable_output_is_told_before_running(files, failing, tmp_path, monkeypatch):
    monkeypatch.setattr("tvm_patdnn.library.library.load", lambda *_: pytest.fail("it was loaded"))
    path = tmp_path / "none" / "out.npz"
    assert f"{path}: cannot be written: No such file" in failing(
        "run", files / "model.so", "--input", f"x={files / 'x.npy'}", "--output", path
    )
