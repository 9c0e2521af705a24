"""Trained third-party networks, and our own definitions, as shipped and pruned.

A build takes seconds of one core, so the two variants of a model are built side by side.
"""

from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from onnx import helper

from tests.model_zoo import ZOO, fetch
from tests.onnx_models import model_of
from tests.real_models import OURS, compare, compare_model, relative_error, with_scores

TOLERANCE = 1e-3
VARIANTS = ("as shipped", "pruned")


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(len(VARIANTS), mp_context=get_context("spawn")) as workers:
        yield workers


@pytest.fixture(scope="module", params=[*ZOO, *OURS])
def comparisons(request, pool) -> dict[str, Future]:
    """Both variants of a model, being built."""
    name = request.param
    path = fetch(name) if name in ZOO else None
    return {v: pool.submit(compare, name, path, v == "pruned") for v in VARIANTS}


@pytest.mark.parametrize("variant", VARIANTS)
def test_outputs_are_onnxruntimes(comparisons, variant):
    outcome = comparisons[variant].result()
    wrong = {name: error for name, error in outcome.errors.items() if not error < TOLERANCE}
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
