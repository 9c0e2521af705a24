import dataclasses

import numpy as np
import onnx
import pytest
from onnx import helper

from models import demo
from models.demo import EXHIBITS, Demo, demosaicking, format_demo, run_demo
from tests.onnx_models import model_of
from tvm_patdnn.sparse.patterns import find_patterns


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> Demo:
    """The demo with a network of one convolution, which blurs with 5 of 9 weights."""
    weight = np.zeros((3, 3, 3, 3), "float32")
    weight[range(3), range(3)] = np.array([[0, 1, 0], [1, 2, 1], [0, 1, 0]]) / 2
    assert len(find_patterns(weight).patterns) == 1
    node = helper.make_node("Conv", ["mosaic", "w"], ["rgb"], name="blur", pads=[1] * 4)
    path = tmp_path_factory.mktemp("demo") / "model.onnx"
    inputs = {"mosaic": (1, 3, 32, 32)}
    onnx.save(model_of([node], inputs=inputs, outputs=["rgb"], weights={"w": weight}), path)
    return run_demo(demosaicking(path, 32), rounds=1)


def test_both_builds_are_right(found):
    assert found.errors.keys() == {"pruned", "dense"}
    assert max(found.errors.values()) < 1e-5


def test_the_image_is_compared_with_the_true_one(found):
    decibels = float(found.quality.split()[-2])
    assert 10 < decibels < 40


def test_all_contenders_are_measured(found):
    assert [name.split()[0] for name in found.latencies] == ["pruned", "dense", "onnxruntime"]
    assert min(found.latencies.values()) > 0


def test_text(found):
    made_up = dataclasses.replace(
        found,
        latencies={"pruned": 0.002, "dense": 0.008, "onnxruntime 1": 0.01},
        quality="A fine image.",
    )
    text = format_demo(made_up)
    assert text.startswith(str(found.report))
    assert "pruned                   2.000 ms       4.00x" in text
    assert "dense                    8.000 ms       1.00x" in text
    assert "onnxruntime 1           10.000 ms       0.80x   (reference)" in text
    assert text.endswith("\nA fine image.")


@pytest.mark.parametrize(("error", "status"), [(1e-6, 0), (1e-2, 1), (float("nan"), 1)])
def test_a_wrong_output_fails(found, monkeypatch, capsys, error, status):
    wrong = dataclasses.replace(found, errors={"pruned": error, "dense": 0.0})
    monkeypatch.setattr(demo, "run_demo", lambda exhibit, rounds: wrong)
    monkeypatch.setattr(demo, "_show_int8", lambda file, rounds: 0)
    assert demo.main([]) == status
    assert ("the pruned build differs from ONNX Runtime" in capsys.readouterr().err) == status


def test_the_networks_shown_are_here_and_small():
    for exhibit in EXHIBITS:
        assert exhibit.file.stat().st_size < 3 * 2**20
        (tensor,) = onnx.load(exhibit.file).graph.input
        shape = [axis.dim_value for axis in tensor.type.tensor_type.shape.dim]
        assert shape == list(exhibit.input.shape)
