import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

import tvm_patdnn
from tests.onnx_models import model_of
from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning import PruneOptions, prune_onnx_with_report
from tvm_patdnn.pruning.fully_connected import GROUP, matrix_mask


def random_array(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_the_strongest_groups_stay():
    matrix = np.ones((4, 2 * GROUP), np.float32)
    matrix[1, GROUP:] = 3
    matrix[2, :GROUP] = 2
    mask = matrix_mask(matrix, 4)
    assert mask.sum() == 2 * GROUP
    assert mask[1, GROUP:].all()
    assert mask[2, :GROUP].all()


@pytest.mark.parametrize("outputs", [1, 15, 16, 37])
def test_a_last_group_may_be_smaller(outputs):
    mask = matrix_mask(random_array(10, outputs), 2)
    assert mask.shape == (10, outputs)
    starts = range(0, outputs, GROUP)
    kept = sum(int(mask[:, start].sum()) for start in starts)
    assert kept == round(10 * len(starts) / 2)
    for start in starts:
        assert (mask[:, start : start + GROUP] == mask[:, start : start + 1]).all()


def network() -> onnx.ModelProto:
    """A Gemm of either orientation, a MatMul, and one that shares its matrix."""
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b"], ["h1"], name="fc1", transB=1),
        helper.make_node("Relu", ["h1"], ["r1"]),
        helper.make_node("Gemm", ["r1", "w2"], ["h2"], name="fc2"),
        helper.make_node("MatMul", ["h2", "w3"], ["h3"], name="fc3"),
        helper.make_node("MatMul", ["h3", "w4"], ["h4"], name="fc4"),
        helper.make_node("MatMul", ["h4", "w4"], ["y"], name="fc5"),
    ]
    weights = {
        "w1": random_array(64, 32),
        "b": random_array(64, seed=1),
        "w2": random_array(64, 48, seed=2),
        "w3": random_array(48, 32, seed=3),
        "w4": random_array(32, 32, seed=4),
    }
    return model_of(nodes, inputs={"x": (1, 32)}, weights=weights)


def test_every_matrix_of_its_own_is_pruned():
    pruned, rows = prune_onnx_with_report(network(), PruneOptions(fully_connected=4))
    assert [row.name for row in rows] == ["fc1", "fc2", "fc3"]
    assert all(row.compression == pytest.approx(4, rel=0.05) for row in rows)
    after = {t.name: numpy_helper.to_array(t) for t in pruned.graph.initializer}
    before = {t.name: numpy_helper.to_array(t) for t in network().graph.initializer}
    assert np.array_equal(after["w4"], before["w4"])
    assert (after["w1"].reshape(4, GROUP, 32).any(axis=1).sum()) == 32
    assert (after["w2"].reshape(64, 3, GROUP).any(axis=2).sum()) == 48


def test_by_default_they_are_left_alone():
    pruned, rows = prune_onnx_with_report(network(), PruneOptions())
    assert rows == []
    assert pruned.graph == network().graph


def test_what_is_built_computes_what_is_left():
    pruned = tvm_patdnn.prune_onnx(network(), fully_connected=4)
    data = {"x": random_array(1, 32, seed=9)}
    (expected,) = onnxruntime.InferenceSession(pruned.SerializeToString()).run(None, data)
    library = tvm_patdnn.build(pruned)
    assert "sparse_fully_connected" in library.assembly()
    assert np.abs(library.run(data)["y"] - expected).max() < 1e-5 * np.abs(expected).max()


def test_a_rate_below_one():
    with pytest.raises(PruningError, match="fully_connected=0.5 is not a rate"):
        PruneOptions(fully_connected=0.5)
