"""Every system that is installed computes the same, on a network with two outputs."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest

from tests.bench import fake_systems as fakes
from tests.bench.samples import small_network
from tvm_patdnn.bench.entrant import Entrant
from tvm_patdnn.bench.options import BenchOptions
from tvm_patdnn.bench.reference import make_inputs, relative_error
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.bench.system import Job
from tvm_patdnn.bench.systems import DOT_PROBE, OURS, PROBE, REFERENCE, SYSTEMS, find_system


@pytest.fixture(scope="module")
def enter(tmp_path_factory):
    model = small_network()
    model.graph.output.append(onnx.helper.make_tensor_value_info("a", 1, (1, 4, 8, 8)))
    shared = tmp_path_factory.mktemp("systems")
    onnx.save(model, shared / "model.onnx")
    np.savez(shared / "inputs.npz", **make_inputs(model))
    entered = {}

    def enter(system) -> Entrant:
        if system.name in entered:
            return entered[system.name]
        folder = shared / system.name
        folder.mkdir(exist_ok=True)
        job = Job(
            model=shared / "model.onnx",
            outputs=("y", "a"),
            folder=folder,
            threads=1,
            thorough=False,
        )
        options = BenchOptions(threads=1, repeats=2, rounds=1)
        entrant = Entrant(system=system, job=job, inputs=shared / "inputs.npz", options=options)
        entrant.start()
        if entrant.status is Status.MISSING:
            pytest.skip(f"{system.name} is {entrant.message}")
        assert (entrant.status, entrant.message) == (Status.OK, "")
        entered[system.name] = entrant
        return entrant

    yield enter
    for each in entered.values():
        each.close()


@pytest.fixture(scope="module")
def expected(enter):
    return enter(REFERENCE).outputs()


@pytest.mark.parametrize("name", [*SYSTEMS, "csr"])
def test_it_computes_what_the_reference_computes(enter, expected, name):
    entrant = enter(find_system(name))
    assert [each.shape for each in expected] == [(1, 4, 8, 8)] * 2
    assert relative_error(entrant.outputs(), expected) < 1e-4
    entrant.turn(0)
    assert len(entrant.turns[0]) == 2
    assert entrant.loaded["versions"] or name == OURS.name


def test_ours_tells_its_layers_and_their_time(enter):
    entrant = enter(OURS)
    entrant.profile(0)
    assert [layer["name"] for layer in entrant.built["facts"]["layers"]] == [
        "conv1",
        "conv2",
        "conv3",
    ]
    assert len(entrant.kernels[0]) == 3
    assert all(seconds > 0 for _, seconds in entrant.kernels[0])


@pytest.mark.parametrize("probe", [PROBE, DOT_PROBE])
def test_the_peak_is_above_what_any_cpu_does_without_vectors(enter, probe):
    entrant = enter(probe)
    entrant.turn(0)
    macs = entrant.built["facts"]["macs"]
    assert macs % 500_000 == 0
    assert macs / min(entrant.turns[0]) > 1e8


def test_the_converter_that_installs_packages_is_not_imported(monkeypatch, tmp_path):
    def mnnconvert(words) -> None:
        Path(words[words.index("--MNNModel") + 1]).write_bytes(b"")

    monkeypatch.setitem(sys.modules, "_tools", SimpleNamespace(mnnconvert=mnnconvert))
    monkeypatch.setitem(sys.modules, "MNN.tools.mnnconvert", None)  # an ImportError
    model = tmp_path / "model.onnx"
    job = Job(model=model, outputs=("y",), folder=tmp_path, threads=1, thorough=False)
    assert SYSTEMS["MNN"].prepare(job).path == tmp_path / "model.mnn"


def test_systems_are_found_by_name():
    assert find_system("onnxruntime") is REFERENCE
    assert [find_system(probe.name) for probe in (PROBE, DOT_PROBE)] == [PROBE, DOT_PROBE]
    assert find_system("tests.bench.fake_systems:SLEEPER") is fakes.SLEEPER


@pytest.mark.parametrize(
    "name", ["", "tensorflow", "no.such:SYSTEM", "tests.bench.fake_systems:NAP", ":", "json:none"]
)
def test_what_is_no_system_is_not_found(name):
    assert find_system(name) is None
