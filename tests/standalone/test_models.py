"""Standalone models compute what the kind that needs TVM computes, bit by bit."""

import numpy as np
import pytest
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import tvm_patdnn
from tests.built import library, require_linker
from tests.model_zoo import ZOO, fetch
from tests.real_models import OURS, network
from tests.standalone.programs import ROOT


def check(lib, inputs, folder):
    require_linker(library())
    lib.export_standalone(folder / "model.so", header=False)
    expected = lib.run(inputs)
    for threads in (1, 2, 3):
        found = tvm_patdnn.load(folder / "model.so", num_threads=threads).run(inputs)
        assert list(found) == list(expected)
        for name, value in expected.items():
            assert (found[name].shape, found[name].dtype) == (value.shape, value.dtype)
            assert np.array_equal(found[name], value, equal_nan=True), f"{name}, {threads} threads"


def test_a_network_with_workspaces(tmp_path):
    lib = tvm_patdnn.build(ROOT / "models" / "demosaic_bayer_pruned.onnx")
    mosaic = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
    check(lib, {"mosaic": mosaic}, tmp_path)


class _Noise(CalibrationDataReader):
    """A few images to find the ranges of numbers by."""

    def __init__(self):
        self.images = iter(np.random.default_rng(0).random((4, 1, 3, 32, 32), np.float32))

    def get_next(self):
        image = next(self.images, None)
        return None if image is None else {"x": image}


def test_a_quantised_network(tmp_path):
    path = ROOT / "models" / "small_vgg_cifar10_pruned.onnx"
    folded, quantised = tmp_path / "folded.onnx", tmp_path / "quantised.onnx"
    quant_pre_process(path, folded)
    quantize_static(folded, quantised, _Noise(), quant_format=QuantFormat.QDQ, per_channel=True)
    lib = tvm_patdnn.build(quantised)
    assert all("at a time, by" in layer.reason for layer in lib.report)  # on bytes
    check(lib, {"x": np.random.default_rng(1).random((1, 3, 32, 32), np.float32)}, tmp_path)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long]) for name in (*ZOO, *OURS)]
)
@pytest.mark.parametrize("pruned", [False, True], ids=["as shipped", "pruned"])
def test_all_networks(name, pruned, tmp_path):
    found = network(name, fetch(name) if name in ZOO else None, pruned)
    check(tvm_patdnn.build(found.model, input_shapes=found.shapes), found.inputs, tmp_path)
