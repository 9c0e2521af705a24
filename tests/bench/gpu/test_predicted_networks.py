import numpy as np
import pytest

from te_schedules.gpu.kernel_table import pruned_weight
from tests.onnx_models import model_of
from tvm_patdnn.bench.gpu.predicted_networks import networks_section, predict_network


@pytest.fixture(scope="module")
def network() -> bytes:
    from onnx import helper

    weights = {"one": pruned_weight(16, 8, 4, 0.3), "two": pruned_weight(8, 16, kept=1.0, size=1)}
    nodes = [
        helper.make_node("Conv", ["x", "one"], ["a"], pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "two"], ["y"]),
    ]
    model = model_of(nodes, inputs={"x": [1, 8, 56, 56]}, weights=weights)
    return model.SerializeToString()


def test_all_convolutions_are_summed(network):
    found = predict_network(network, "sm_80")
    assert found.kinds == {"pattern": 1, "dense": 1}
    assert 0 < found.pruned < found.dense
    assert 0 < found.share < 1


def test_the_section_has_a_row_for_each_network_and_gpu(network):
    rows = networks_section({"small": network}, ["sm_80", "sm_90"]).splitlines()
    assert [row.split("|")[1:3] for row in rows if row.startswith("| small")] == [
        [" small ", " sm_80 "],
        [" small ", " sm_90 "],
    ]
    assert np.all([row.endswith("| 1 dense, 1 pattern |") for row in rows if "| small" in row])
