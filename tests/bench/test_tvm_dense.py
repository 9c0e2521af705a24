"""The dense baseline: what it is built from, and what its row tells."""

import numpy as np
import onnx
import pytest

from tests.bench.dense_tuning.samples import conv_shape, dense_record
from tests.bench.dense_tuning.tuned_traces import any_trace
from tvm_patdnn.bench.dense_tuning import records
from tvm_patdnn.bench.dense_tuning.records import write_record
from tvm_patdnn.bench.dense_tuning.tasks import layer_model
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import ConvShape
from tvm_patdnn.bench.reference import make_inputs
from tvm_patdnn.bench.system import Job, Loaded
from tvm_patdnn.bench.systems import DENSE, tvm_dense
from tvm_patdnn.machine.host_cpu import host_cpu

SHAPE = conv_shape()


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A convolution to build for two threads, with records in ``folder / "records"``."""
    monkeypatch.setattr(records, "shipped_folder", lambda: tmp_path / "records")
    path = tmp_path / "net.onnx"
    onnx.save(layer_model(SHAPE), path)
    return Job(model=path, outputs=("y",), folder=tmp_path, threads=2, thorough=False)


def loaded(job: Job) -> tuple[Loaded, np.ndarray]:
    """What is run, and its result."""
    prepared = DENSE.prepare(job)
    inputs = make_inputs(onnx.load(job.model))
    loaded = DENSE.load(prepared.path, job, inputs)
    return loaded, loaded.outputs(loaded.run())[0]


def tuned_record(shape: ConvShape = SHAPE):
    return dense_record(shape=shape, trace=any_trace(shape))


def test_without_records_it_is_ours_and_says_so(job):
    write_record(job.folder / "records", dense_record(cpu="other"))
    result, _ = loaded(job)
    assert result.facts["variant"] == "no MetaSchedule records for this machine"
    facts = result.facts["metaschedule"]
    assert (facts["records"], facts["tuned_convolutions"], facts["convolutions"]) == (0, 0, 1)
    assert facts["ignored_records"] == {f"measured on other, this is {host_cpu()}": 1}
    assert facts["records_from"] == "autotune_logs/dense"


def test_a_faster_record_is_used_and_gives_the_same_numbers(job, monkeypatch):
    _, expected = loaded(job)
    write_record(job.folder / "records", tuned_record())
    measure = tvm_dense._fastest
    asked = []

    def fastest(job, libraries):
        asked.append(measure(job, libraries))
        return 1

    monkeypatch.setattr(tvm_dense, "_fastest", fastest)
    result, got = loaded(job)
    assert asked[0] in (0, 1)
    assert result.facts["variant"] == "MetaSchedule for 1 of 1 convolutions"
    assert result.facts["metaschedule"]["tuned_convolutions"] == 1
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_what_is_slower_in_the_network_is_not_used(job, monkeypatch):
    write_record(job.folder / "records", tuned_record())
    monkeypatch.setattr(tvm_dense, "_fastest", lambda job, libraries: 0)
    result, _ = loaded(job)
    assert result.facts["variant"] == "MetaSchedule slower in the network"
    assert result.facts["metaschedule"]["tuned_convolutions"] == 0


def test_records_of_other_networks_change_nothing(job):
    write_record(job.folder / "records", tuned_record(conv_shape(in_shape=(1, 8, 12, 12))))
    result, _ = loaded(job)
    assert result.facts["variant"] == "MetaSchedule for 0 of 1 convolutions"
    assert result.facts["metaschedule"]["records"] == 1


def test_the_faster_of_two_libraries_is_taken(job):
    class Library:
        def __init__(self, seconds: float) -> None:
            self.seconds = seconds
            self.runnable = self

        def time(self, inputs, repeats):
            assert list(inputs) == ["x"]
            return [self.seconds] * repeats

    assert tvm_dense._fastest(job, [Library(1.0)]) == 0
    assert tvm_dense._fastest(job, [Library(1.0), Library(2.0)]) == 0
    assert tvm_dense._fastest(job, [Library(2.0), Library(1.0)]) == 1
