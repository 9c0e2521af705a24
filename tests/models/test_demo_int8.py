import dataclasses

import numpy as np
import onnx
import pytest
from onnx import helper

from models import demo, demo_int8
from models.demo_int8 import Int8Demo, format_int8_demo, run_int8_demo
from tests.models.test_int8_rows import ROW
from tests.onnx_models import model_of


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> Int8Demo:
    """The int8 part with a network that says which channel is brightest."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    weights = {"w": np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)}
    model = model_of(nodes, inputs={"x": (1, 3, 16, 16)}, weights=weights)
    helper.set_model_props(model, {"mean": "0.5,0.5,0.5", "std": "0.2,0.2,0.2"})
    path = tmp_path_factory.mktemp("demo") / "model.onnx"
    onnx.save(model, path)
    with pytest.MonkeyPatch.context() as few:
        few.setattr(demo_int8, "CALIBRATION", 32)
        few.setattr(demo_int8, "_PICTURES", 20)
        return run_int8_demo(path, rounds=1)


def test_int8_is_like_float32_and_like_the_file(found):
    assert (found.layers, found.int8_layers) == (1, 1)
    assert found.like_float32 > 0.6  # its channels are almost equally bright
    assert found.like_file > 0.9


def test_all_contenders_are_measured(found):
    names = [name.partition(" 1.")[0] for name in found.latencies]
    assert names == ["int8, pruned", "float32, pruned", "onnxruntime", "onnxruntime"]
    assert min(found.latencies.values()) > 0


def test_text(found):
    latencies = {"int8, pruned": 0.001, "float32, pruned": 0.002, "onnxruntime 1, int8": 0.004}
    shown = dataclasses.replace(
        found, latencies=latencies, like_float32=0.985, dots="avx2", accuracy=ROW
    )
    text = format_int8_demo(shown)
    assert text.startswith("1 of 1 convolutions in int8, quantised by 128 made-up pictures\n")
    assert "int8, pruned                   1.000 ms         2.00x\n" in text
    assert "onnxruntime 1, int8            4.000 ms         0.50x\n" in text
    assert "gives 98.5% of 100 other pictures the class of the float32 network" in text
    assert "quantised so: 76.80 % right, in float32 76.90 % (docs/accuracy-int8.md)" in text
    assert text.endswith(
        "This CPU has no dot products of bytes (avx2), on which int8 gains the most."
    )
    other = format_int8_demo(dataclasses.replace(shown, dots="avx-vnni", accuracy=None))
    assert "dot products" not in other
    assert "docs/accuracy" not in other


def test_what_is_known_of_the_shipped_classifier():
    row = demo_int8._known()
    assert row is not None
    assert row.calibration == "128 made-up pictures"


@pytest.mark.parametrize(("share", "status"), [(1.0, 0), (0.9, 1)])
def test_a_wrong_build_fails(found, monkeypatch, capsys, share, status):
    wrong = dataclasses.replace(found, like_file=share)
    monkeypatch.setattr(demo, "run_int8_demo", lambda file, rounds: wrong)
    assert demo._show_int8(demo.EXHIBITS[0].file, 1) == status
    assert ("differs from what the quantised file says" in capsys.readouterr().err) == status
