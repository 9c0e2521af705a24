import shutil

import numpy as np
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from tests.built import pruned_network
from tests.onnx_models import model_of
from tvm_patdnn.bench.gpu import build_networks
from tvm_patdnn.bench.gpu.build_networks import (
    LEVELS,
    build_network,
    coarse,
    convolutions_only,
    main,
    with_batch,
)
from tvm_patdnn.bench.gpu.network_program import BINARY, PROGRAM


def shapes(model):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    inputs = {t.name: np.zeros(t.shape, np.float32) for t in session.get_inputs()}
    return [value.shape for value in session.run(None, inputs)]


def classifier():
    random = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="c"),
        helper.make_node("Flatten", ["a"], ["f"]),
        helper.make_node("Gemm", ["f", "m"], ["y"], transB=1),
    ]
    weights = {
        "w": random.standard_normal((4, 3, 3, 3), np.float32),
        "m": random.standard_normal((5, 64), np.float32),
    }
    return model_of(nodes, inputs={"x": (1, 3, 6, 6)}, weights=weights)


def test_coarse_weights_are_few_and_keep_their_zeros():
    model = pruned_network()
    for before, after in zip(model.graph.initializer, coarse(model).graph.initializer, strict=True):
        old, new = numpy_helper.to_array(before), numpy_helper.to_array(after)
        assert ((old == 0) == (new == 0)).all()
        assert len(np.unique(new)) <= 2 * LEVELS + 1
        assert np.abs(new - old).max() <= np.abs(old).max() / LEVELS


def test_a_model_for_more_images():
    assert shapes(with_batch(classifier(), 8)) == [(8, 5)]
    assert shapes(classifier()) == [(1, 5)]


def test_a_model_without_its_classifier():
    assert shapes(convolutions_only(classifier())) == [(1, 4, 4, 4)]
    assert convolutions_only(pruned_network()) is pruned_network()


def test_a_network_is_written_with_its_binary(tmp_path):
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc on this machine")
    build_network(pruned_network(), "cuda -arch=sm_80", tmp_path / "net", network="net")
    assert (tmp_path / "net" / BINARY).read_bytes()[:4] == b"\x7fELF"
    assert (tmp_path / "net" / PROGRAM).exists()


def test_the_command_names_folders_by_what_is_in_them(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(build_networks.onnx, "load", lambda path: classifier())
    monkeypatch.setattr(
        build_networks, "build_network", lambda *args, **facts: made.append((args[1:], facts))
    )
    main(["net-blocks.onnx", "net.onnx", "-o", str(tmp_path), "--batch", "8", "--convolutions"])
    (target, folder), facts = made[0]
    assert (target, folder.name) == ("cuda -arch=sm_90", "net-blocks-8-float32")
    assert facts == {"network": "net", "variant": "blocks", "batch": 8, "storage": "float32"}
    assert made[1][1]["variant"] == "dense"


def test_the_command_builds_for_one_image_and_for_eight(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(build_networks.onnx, "load", lambda path: classifier())
    monkeypatch.setattr(
        build_networks, "build_network", lambda *args, **facts: made.append(facts["batch"])
    )
    main(["net.onnx", "-o", str(tmp_path)])
    assert made == [1, 8]
