import numpy as np
import pytest

from tvm_patdnn.cli.show_outputs import describe_outputs, outputs_text, save_outputs
from tvm_patdnn.errors import BuildError

SCORES = np.array([0.1, 0.9, -0.3, 0.5, 0.2, 0.9, 0.0], "float32")


@pytest.mark.parametrize("shape", [(7,), (1, 7), (1, 7, 1, 1)])
def test_class_scores_are_ranked(shape):
    described = describe_outputs({"prob": SCORES.reshape(shape)})["outputs"]["prob"]
    assert [index for index, _ in described["top"]] == [1, 5, 3, 4, 0]
    assert described["shape"] == list(shape)
    assert (described["min"], described["max"]) == (SCORES.min(), SCORES.max())


def test_few_classes():
    described = describe_outputs({"y": np.array([[1, 2]], "float32")})["outputs"]["y"]
    assert described["top"] == [[1, 2.0], [0, 1.0]]


@pytest.mark.parametrize("array", [SCORES.reshape(1, 7)[[0, 0]], np.zeros(1, "f4"), np.arange(9)])
def test_other_outputs_are_not(array):
    assert "top" not in describe_outputs({"y": array})["outputs"]["y"]


def test_text():
    described = describe_outputs({"y": SCORES[:2]}, [0.004, 0.001, 0.002])
    assert outputs_text(described).splitlines() == [
        "y: float32 [2], 0.1 to 0.9",
        "  class 1: 0.9",
        "  class 0: 0.1",
        "latency: 2.000 ms median, 3.600 p90, 3.960 p99, 1.000 best of 3 runs",
    ]


def test_any_name_can_be_saved(tmp_path):
    outputs = {"file": np.arange(3), "a/b:0": SCORES, "größe": np.float32(3).reshape(())}
    save_outputs(outputs, tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as stored:
        assert {name: stored[name].tolist() for name in stored} == {
            name: array.tolist() for name, array in outputs.items()
        }


def test_unwritable(tmp_path):
    with pytest.raises(BuildError, match="out.npz: cannot be written"):
        save_outputs({"y": SCORES}, tmp_path / "none" / "out.npz")
