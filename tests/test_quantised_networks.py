"""Quantised networks against ONNX Runtime."""

import itertools
import re
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import tvm_patdnn
from tests.model_zoo import ZOO, fetch, sample_inputs
from tests.quantised_models import (
    QUANTISED,
    SHAPE,
    quantised,
    run_exactly,
    small_network,
    units,
)
from tests.te_schedules.cpu.lane_kernels import native
from tvm_patdnn.importing.expand_quantised import expand_quantised
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.optimizations import Optimizations

VNNI = "llvm -mtriple=x86_64-linux-gnu -mcpu=znver4"
DOTS = CpuModel.from_target(native()).dots  # of this machine


def pictures(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(7)
    return [random.standard_normal(SHAPE, np.float32) for _ in range(count)]


@cache
def library(name: str):
    return tvm_patdnn.build(quantised(name))


def test_units_fed_with_onnx_runtimes_own_inputs():
    whole, cut = units(quantised())
    (picture,) = pictures(1)
    found = run_exactly(whole, {"x": picture})
    inputs = {value.name: found[value.name] for value in cut.graph.input if value.name != "x"}
    made = tvm_patdnn.build(cut).run({"x": picture, **inputs})
    makers = {node.output[0]: node for node in whole.graph.node}
    for name, expected in inputs.items():
        maker = makers.get(makers[name].input[0])
        # A quarter of the means of four integers are halves, which float32 may round either way.
        share = 0.01 if maker is not None and maker.op_type == "AveragePool" else 0.001
        apart = np.abs(made[f"{name}_made"].astype(int) - expected.astype(int))
        assert np.unique(expected).size > 5
        assert apart.max() <= 1
        assert (apart > 0).sum() <= max(1, share * apart.size), name


@pytest.mark.parametrize("name", QUANTISED)
def test_whole_networks_are_as_near_to_the_float_network(name):
    reference = expand_quantised(quantised(name))  # kernels of QLinearConv may saturate
    ours, theirs = [], []
    for picture in pictures(20):
        wanted = run_exactly(small_network(), {"x": picture})["y"]
        ours.append(np.abs(library(name).run({"x": picture})["y"] - wanted).mean())
        theirs.append(np.abs(run_exactly(reference, {"x": picture})["y"] - wanted).mean())
    assert np.mean(ours) <= 1.05 * np.mean(theirs)


@pytest.mark.parametrize("name", QUANTISED)
def test_every_convolution_is_int8(name):
    convs = [node for node in small_network().graph.node if node.op_type == "Conv"]
    report = library(name).report
    assert [layer.dtype for layer in report] == ["int8"] * len(convs)
    assert "depthwise" in {layer.kernel for layer in report}
    assert list(tvm_patdnn.inspect(quantised(name))) == list(report)


def test_a_saved_library_has_the_same_numbers(tmp_path):
    (picture,) = pictures(1)
    expected = library("QDQ").run({"x": picture})["y"]
    library("QDQ").export_library(tmp_path / "vm.so")
    library("QDQ").export_standalone(tmp_path / "alone.so")
    for name in ("vm.so", "alone.so"):
        loaded = tvm_patdnn.load(tmp_path / name)
        np.testing.assert_array_equal(loaded.run({"x": picture})["y"], expected)


ACTIVATIONS = (
    *("Sigmoid", "Tanh", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid", "HardSwish"),
    *("Mish", "Softplus", "Softsign", "Gelu", "Exp", "Abs", "Erf"),
)


def test_activations_are_functions_of_a_byte():
    initializers = {"s": np.float32(0.04), "z": np.uint8(99), "t": np.float32(0.013)}
    nodes = [("QuantizeLinear", "xsz", "q"), ("DequantizeLinear", "qsz", "d")]
    for name in ACTIVATIONS:
        nodes += [(name, "d", f"{name}_n"), ("QuantizeLinear", (f"{name}_n", "t", "z"), name)]
    shape, kinds = (1, 4, 8, 8), onnx.TensorProto
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(op, [*taken], [made]) for op, taken, made in nodes],
        "activations",
        [onnx.helper.make_tensor_value_info("x", kinds.FLOAT, shape)],
        [onnx.helper.make_tensor_value_info(each, kinds.UINT8, shape) for each in ACTIVATIONS],
        [onnx.numpy_helper.from_array(np.array(v), n) for n, v in initializers.items()],
    )
    opset = [onnx.helper.make_opsetid("", 20)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9)
    x = ((np.arange(256) - 99) * 0.04).astype(np.float32).reshape(shape)
    built = tvm_patdnn.build(model)
    found = built.run({"x": x})
    for name, expected in run_exactly(model, {"x": x}).items():
        apart = np.abs(found[name].astype(int) - expected.astype(int))
        assert apart.max() <= 1, name
        assert (apart > 0).sum() <= 1, name
    assert built.assembly().count("look_up_planes") > 0


class FakeQuantised(torch.nn.Module):
    """What quantisation-aware training leaves: numbers are rounded as integers would be.

    Args:
        low, high: the integers that activations use.
        width: channels.
    """

    def __init__(self, low: int, high: int, width: int = 8) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convs = torch.nn.ModuleList(
            torch.nn.Conv2d(c, width, 3, padding=1) for c in (3, width)
        )
        self.low, self.high = low, high

    def forward(self, x):
        x = self._rounded(x, 0.03, self.low + 100)
        y = self._rounded(torch.relu(self._conv(0, x)), 0.02, self.low)
        return self._rounded(torch.nn.functional.relu6(self._conv(1, y) + y), 0.0317, self.low)

    def _rounded(self, x, scale, zero):
        return torch.fake_quantize_per_tensor_affine(x, scale, zero, self.low, self.high)

    def _conv(self, number, x):
        conv = self.convs[number]
        scale = conv.weight.detach().abs().amax((1, 2, 3)) / 127
        zero = torch.zeros(len(scale), dtype=torch.int32)
        weight = torch.fake_quantize_per_channel_affine(conv.weight, scale, zero, 0, -128, 127)
        return torch.nn.functional.conv2d(x, weight, conv.bias, padding=1)


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize(("low", "high"), [(0, 255), (-128, 127), (0, 127)])
def test_what_torch_exports(low, high, dynamo, tmp_path):
    network, data = FakeQuantised(low, high).eval(), torch.randn(1, 3, 15, 17)
    path = tmp_path / "network.onnx"
    options = {"dynamo": dynamo, "input_names": ["x"], "output_names": ["y"]}
    options |= {"external_data": False, "verbose": False} if dynamo else {"opset_version": 17}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (data,), path, **options)
    built = tvm_patdnn.build(path)
    assert [layer.dtype for layer in built.report] == ["int8"] * 2
    expected = run_exactly(onnx.load(path), {"x": data.numpy()})["y"]
    apart = np.abs(built.run({"x": data.numpy()})["y"] - expected) / 0.0317
    assert apart.max() < 1.01
    assert (apart > 0.01).mean() < 0.002


@pytest.mark.skipif(DOTS == "plain", reason="a CPU of long ago")
def test_transforms_change_no_byte(tmp_path):
    """However it is called, and on one thread and two."""
    network, data = FakeQuantised(0, 255, width=24).eval(), torch.randn(1, 3, 31, 34)
    options = {"opset_version": 17, "input_names": ["x"], "output_names": ["y"], "dynamo": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (data,), tmp_path / "network.onnx", **options)
    # Where VNNI adds products of bytes, transforms gain too little for so small a network.
    target = "x86-64-v3" if "vnni" in DOTS or "vbmi" in DOTS else None
    only = Optimizations(transforms=False)
    plain = tvm_patdnn.build(tmp_path / "network.onnx", target, optimizations=only)
    built = tvm_patdnn.build(tmp_path / "network.onnx", target)
    transformed = ["Winograd" in layer.reason for lib in (plain, built) for layer in lib.report]
    assert transformed == [False, False, False, True]
    expected = plain.run({"x": data.numpy()})["y"]
    built.export_library(tmp_path / "vm.so")
    built.export_standalone(tmp_path / "alone.so")
    for name, threads in itertools.product(("vm.so", "alone.so"), (1, 2)):
        loaded = tvm_patdnn.load(tmp_path / name, num_threads=threads)
        np.testing.assert_array_equal(loaded.run({"x": data.numpy()})["y"], expected)


@cache
def classifier() -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """The trained and pruned network that comes with the project, and the same in int8."""
    model = onnx.load(Path(__file__).parents[1] / "models" / "small_vgg_cifar10_pruned.onnx")
    return model, tvm_patdnn.quantize_onnx(model, [{"x": picture} for picture in pictures(8)])


def test_a_trained_pruned_network_keeps_its_patterns_and_its_answers():
    model, quantised_model = classifier()
    built = tvm_patdnn.build(quantised_model)
    assert [layer.kernel for layer in built.report] == ["dense", *["pattern"] * 5]
    pruned = tvm_patdnn.inspect(model)
    for layer, before in zip(built.report, pruned, strict=True):
        assert layer.name == before.name
        assert 1 <= layer.compression / before.compression < 1.05  # a few weights became zero
    ours, theirs = [], []
    for picture in pictures(30):
        wanted = run_exactly(model, {"x": picture})["y"]
        ours.append(built.run({"x": picture})["y"] - wanted)
        theirs.append(run_exactly(quantised_model, {"x": picture})["y"] - wanted)
    assert np.abs(ours).mean() <= 1.05 * np.abs(theirs).mean()


def test_memory_is_less_than_a_third(tmp_path):
    sizes = []
    for name, model in zip(("numbers", "integers"), classifier(), strict=True):
        tvm_patdnn.build(model, lazy=True).export_standalone(tmp_path / name, "net")
        text = (tmp_path / name / "net.c").read_text()
        sizes.append(int(re.search(r"define ARENA \(\(size_t\)(\d+)\)", text)[1]))
    assert sizes[1] <= 0.3 * sizes[0]


@pytest.mark.parametrize(
    "target", ["llvm -mtriple=x86_64-linux-gnu -mcpu=znver4", "raspberry-pi-4"]
)
def test_weights_take_less_than_half(target):
    numbers, integers = (
        sum(layer.bytes for layer in tvm_patdnn.inspect(model, target)) for model in classifier()
    )
    assert integers <= 0.46 * numbers


def long(name: str):
    return pytest.param(name, marks=pytest.mark.long)


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "digits",
        "mtcnn-r",
        *map(
            long,
            [
                "cifar-resnet8",
                "demosaic-bayer",
                "demosaic-xtrans",
                "mtcnn-o",
                "ocr-classifier",
                "style",
            ],
        ),
    ],
)
def test_trained_networks_of_others(name, pruned):
    path, shapes = fetch(name), ZOO[name].input_shapes
    model = tvm_patdnn.prune_onnx(path, connectivity=1.5) if pruned else onnx.load(path)
    quantised_model = tvm_patdnn.quantize_onnx(model, [sample_inputs(name, i) for i in range(3)])
    built = tvm_patdnn.build(quantised_model, input_shapes=shapes)
    assert "int8" in {layer.dtype for layer in built.report}
    ours, theirs = [], []
    for inputs in (sample_inputs(name, i) for i in range(3, 8)):
        wanted, said = run_exactly(model, inputs), run_exactly(quantised_model, inputs)
        found = built.run(inputs)
        ours += [np.abs(found[output] - wanted[output]).mean() for output in wanted]
        theirs += [np.abs(said[output] - wanted[output]).mean() for output in wanted]
    assert np.mean(ours) <= 1.05 * np.mean(theirs)
