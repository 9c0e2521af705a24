from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from models.mosaics import bayer_mosaic, psnr, smooth_image
from tvm_patdnn.sparse.patterns import find_patterns

PRUNED = Path(__file__).parents[2] / "models" / "demosaic_bayer_pruned.onnx"


@pytest.fixture(scope="module")
def pruned() -> onnx.ModelProto:
    return onnx.load(PRUNED)


def run(model: onnx.ModelProto, mosaic: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"mosaic": mosaic})[0]


def test_the_file_is_valid_and_pruned_as_its_readme_says(pruned):
    onnx.checker.check_model(pruned, full_check=True)
    found = {
        t.name: find_patterns(w)
        for t in pruned.graph.initializer
        if len(t.dims) == 4
        for w in [numpy_helper.to_array(t)]
    }
    for index in range(2, 16):
        layer = found[f"main_processor.conv{index}.weight"]
        assert len(layer.patterns) == 8
        assert layer.compression == pytest.approx(8.1, abs=0.01)
    sets = [set(found[f"main_processor.conv{i}.weight"].patterns) for i in range(2, 16)]
    assert all(one == sets[0] for one in sets)


def test_the_file_still_fills_in_colours(pruned):
    truth = smooth_image(128, 10**6)
    assert psnr(run(pruned, bayer_mosaic(truth)[None])[0], truth) > 45


def test_the_definition_is_the_network_of_the_file(pruned):
    torch = pytest.importorskip("torch")
    from models.demosaic import load_weights, store_weights

    network = load_weights(pruned)
    mosaic = bayer_mosaic(smooth_image(128, 1))[None]
    with torch.no_grad():
        expected = network(torch.tensor(mosaic)).numpy()
    assert np.abs(run(pruned, mosaic) - expected).max() < 1e-4
    copy = onnx.ModelProto()
    copy.CopyFrom(pruned)
    store_weights(network, copy)
    assert copy == pruned


def test_kept_weights_that_became_zero_come_back(pruned):
    torch = pytest.importorskip("torch")
    from models.demosaic import load_weights
    from models.recover_demosaic import restore_lost

    network, before = load_weights(pruned), load_weights(pruned)
    with torch.no_grad():
        network.half_resolution()[3].weight[:, 5] = 0
    restore_lost(network, before)
    for restored, old in zip(network.parameters(), before.parameters(), strict=True):
        assert torch.equal(restored, old)


def test_refitting_and_training_change_kept_weights_only(pruned):
    torch = pytest.importorskip("torch")
    from models.demosaic import load_weights
    from models.recover_demosaic import fine_tune, refit_all, training_images

    torch.manual_seed(0)
    network, dense = load_weights(pruned), load_weights(pruned)
    images = training_images(2, size=64)
    refit_all(network, dense, torch.tensor(bayer_mosaic(images)))
    fine_tune(network, dense, images, steps=2)
    for conv, before in zip(network.half_resolution(), dense.half_resolution(), strict=True):
        assert (conv.weight[before.weight == 0] == 0).all()
        assert not torch.equal(conv.weight, before.weight)
