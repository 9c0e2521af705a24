"""Quantised networks against ONNX Runtime."""

from functools import cache

import numpy as np
import pytest

import tvm_patdnn
from tests.quantised_models import (
    QUANTISED,
    SHAPE,
    quantised,
    run_exactly,
    small_network,
    units,
)


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
    reference = quantised("QDQ" if name == "QOperator" else name)  # the same numbers
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
