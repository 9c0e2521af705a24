"""Libraries built for AArch64 give ONNX Runtime's numbers on an emulated device."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

import tvm_patdnn
from models.export import export_onnx
from tests.aarch64.emulated_device import EmulatedDevice
from tests.quantised_models import run_exactly

SHAPE = (1, 3, 17, 20)


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    return EmulatedDevice(tmp_path_factory.mktemp("device"))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 24, 3, stride=2, padding=1),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(24, 32, 1),
        nn.Flatten(),
        nn.Linear(32 * 4 * 5, 10),
    )
    return tvm_patdnn.prune_onnx(export_onnx(network.eval(), SHAPE))


@pytest.mark.parametrize(
    ("target", "cpu"),
    [
        ("llvm -mtriple=aarch64-linux-gnu", "cortex-a53"),
        ("raspberry-pi-4", "cortex-a72"),
        ("raspberry-pi-5", "cortex-a76"),
    ],
)
def test_a_pruned_network_gives_the_numbers_of_onnx_runtime(device, model, target, cpu, tmp_path):
    library = tvm_patdnn.build(model, target=target)
    path = tmp_path / "model.so"
    library.export_library(path)
    data = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (expected,) = session.run(None, {session.get_inputs()[0].name: data})
    got = device.run(path, data, cpu).reshape(expected.shape)
    assert np.abs(got - expected).max() < 1e-3 * np.abs(expected).max()
    assert "pattern" in {layer.kernel for layer in library.report}


@pytest.mark.parametrize(
    ("target", "cpu", "instructions"),
    [
        ("raspberry-pi-4", "cortex-a72", "neon"),
        ("raspberry-pi-5", "cortex-a76", "dotprod"),
    ],
)
def test_a_quantised_network_gives_the_integers_of_the_file(
    device, model, target, cpu, instructions, tmp_path
):
    (name,) = (value.name for value in model.graph.input)
    random = np.random.default_rng(0)
    batches = [{name: random.standard_normal(SHAPE).astype(np.float32)} for _ in range(4)]
    quantised = tvm_patdnn.quantize_onnx(model, batches)
    library = tvm_patdnn.build(quantised, target=target)
    library.export_library(tmp_path / "model.so")
    (expected,) = run_exactly(quantised, batches[0]).values()
    got = device.run(tmp_path / "model.so", batches[0][name], cpu).reshape(expected.shape)
    steps = np.diff(np.unique(expected))
    assert np.abs(got - expected).max() < 1.01 * steps.min()
    assert {layer.dtype for layer in library.report} == {"int8"}
    assert all(instructions in layer.reason for layer in library.report)
