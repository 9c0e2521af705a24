"""Trained third-party networks, and our own definitions, as shipped and pruned."""

import numpy as np
import pytest
from onnx import helper

from tests.model_zoo import ZOO, fetch
from tests.onnx_models import model_of
from tests.real_models import OURS, compare, compare_model, relative_error, with_scores

TOLERANCE = 1e-3
# What other networks show, too: the same operators (as shipped), or the same kernels (pruned).
REPEATING = {
    False: {"demosaic-xtrans", "resnet18", "tumor-vgg16"},
    True: {
        *("demosaic-xtrans", "nsfw", "ocr-classifier", "ocr-detector", "resnet18", "style"),
        *("tumor-vgg16", "vgg16"),
    },
}
CASES = [
    pytest.param(
        name,
        pruned,
        marks=[pytest.mark.long] if name in REPEATING[pruned] else [],
        id=f"{name}-{'pruned' if pruned else 'as shipped'}",
    )
    for pruned in (False, True)
    for name in (*ZOO, *OURS)
]


@pytest.mark.parametrize(("name", "pruned"), CASES)
def test_outputs_are_onnxruntimes(name, pruned):
    outcome = compare(name, fetch(name) if name in ZOO else None, pruned)
    wrong = {output: error for output, error in outcome.errors.items() if not error < TOLERANCE}
    assert not wrong, f"relative errors: {dict(outcome.errors)}"


def test_a_wrong_output_would_show():
    expected = np.array([[1.0, -4.0]], np.float32)
    assert relative_error(expected + np.float32(0.01), expected) == pytest.approx(0.0025)
    assert not relative_error(np.array([[np.nan, -4]], np.float32), expected) < TOLERANCE
    with pytest.raises(AssertionError, match=r"shape \(2,\), expected \(1, 2\)"):
        relative_error(expected[0], expected)
    assert relative_error(expected, 0 * expected) == 4
    with pytest.raises(AssertionError, match="reaches inf: it shows nothing"):
        relative_error(expected, expected * np.inf)
    silent = model_of([helper.make_node("Mul", ["x", "x"], ["y"])], inputs={"x": (1, 4)})
    with pytest.raises(AssertionError, match="0 everywhere"):
        compare_model(silent, {"x": np.zeros((1, 4), np.float32)}, {})


def test_scores_are_compared_before_they_saturate():
    nodes = [
        helper.make_node("Relu", ["x"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["y"]),
    ]
    model = with_scores(model_of(nodes, inputs={"x": (1, 4)}))
    assert [value.name for value in model.graph.output] == ["y", "scores"]
    inputs = {"x": np.array([[1, 2, 3, 90]], np.float32)}
    assert set(compare_model(model, inputs, {}).errors) == {"y", "scores"}
