import numpy as np
import onnx
import pytest

from relay_passes.pipeline import run_pipeline
from te_schedules.cpu.kernel_table import KERNELS
from tvm_patdnn.bench.kernel_layers import KERNEL_LAYERS, LayerSize, kernel_subjects
from tvm_patdnn.bench.systems.rungs import KERNELS_OF_RUNGS, RUNGS
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.inspection import inspect
from tvm_patdnn.optimizations import Optimizations

SMALL = LayerSize(channels=32, side=14)
TARGET = "x86-64-v3"
CALLED = {  # by the compiler, with a number where there are several
    "pattern conv2d": "pattern_conv2d",
    "connectivity conv2d": "connectivity_conv2d",
    "dense conv2d": "dense_conv2d",
    "winograd conv2d": "winograd_conv2d",
    "packed conv2d": "packed_conv2d",
    "depthwise conv2d": "depthwise_conv2d",
    "conv2d and depthwise conv2d": "dense_conv2d_depthwise_conv2d",
    "max pool2d": "pool2d",
    "average pool2d": "pool2d",
    "global average pool": "global_average_pool",
    "elementwise": "elementwise",
    "relayout": "relayout",
    "fully connected": "fully_connected",
    "sparse fully connected": "sparse_fully_connected",
}


def test_every_kernel_of_the_table_is_timed():
    assert {*KERNEL_LAYERS, *KERNELS_OF_RUNGS} == set(KERNELS)


@pytest.mark.parametrize("name", KERNEL_LAYERS)
def test_the_network_of_a_kernel_is_computed_by_it(name):
    model = KERNEL_LAYERS[name](SMALL)
    onnx.checker.check_model(model, full_check=True)
    compilation = Compilation.of(Request(onnx_model=model, target=TARGET), lambda phase: None)
    with compilation.target:
        mod = run_pipeline(compilation.model.module, compilation.options)
    functions = {variable.name_hint.rstrip("0123456789") for variable in mod.functions}
    # Names such as pool2d end in a digit of their own.
    assert CALLED[name].rstrip("0123456789") in functions


def test_subjects_are_layers_of_a_size_that_occurs():
    subjects = list(kernel_subjects())
    assert [subject.layer for subject in subjects] == list(KERNEL_LAYERS)
    assert {subject.model for subject in subjects} == {"kernels"}
    (shape,) = {
        tuple(dim.dim_value for dim in subject.pruned.graph.input[0].type.tensor_type.shape.dim)
        for subject in subjects
        if "fully connected" not in subject.layer
    }
    assert shape == (1, LayerSize().channels, LayerSize().side, LayerSize().side)


def test_the_rung_of_the_generic_kernel_is_computed_by_it(monkeypatch):
    built = []
    monkeypatch.setattr(
        "tvm_patdnn.bench.systems.rungs.build_library",
        lambda job, **switches: built.append(switches),
    )
    rung = KERNELS_OF_RUNGS["generic sparse conv2d"]
    assert rung in RUNGS
    rung.prepare(None)
    use = Optimizations(**built[0])
    (layer,) = inspect(KERNEL_LAYERS["pattern conv2d"](SMALL), TARGET, optimizations=use)
    assert layer.schedule["taps"] == "table"


def test_what_is_pruned_is_pruned():
    kept = {}
    for name in ("pattern conv2d", "connectivity conv2d", "dense conv2d", "sparse fully connected"):
        weight = onnx.numpy_helper.to_array(KERNEL_LAYERS[name](SMALL).graph.initializer[0])
        kept[name] = np.count_nonzero(weight) / weight.size
    assert kept["pattern conv2d"] < 0.3
    assert kept["connectivity conv2d"] < 0.5
    assert kept["dense conv2d"] == 1
    assert kept["sparse fully connected"] < 0.4
