import onnx
import pytest

from tests.built import library, pruned_network, require_linker
from tvm_patdnn.bench import deployment
from tvm_patdnn.bench.deployment import deployment_rows, deployment_table
from tvm_patdnn.errors import BenchError


@pytest.fixture
def model(tmp_path):
    require_linker(library())
    onnx.save(pruned_network(), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


@pytest.mark.long
def test_all_ways_are_measured(model):
    rows = deployment_rows(model, 2, rounds=1, repeats=2)
    ways = ["standalone", "TVM", "TVM's runtime alone", "onnxruntime"]
    assert [row.way for row in rows] == ways
    alone, vm, runtime, _ = rows
    assert alone.peak_kib < runtime.peak_kib < vm.peak_kib
    assert all(row.load_s > 0 and row.median_s > 0 and row.file_bytes > 0 for row in rows)
    assert deployment_table(rows).count("\n") == len(rows) + 1


def test_a_process_that_fails(monkeypatch, model):
    monkeypatch.setattr(deployment, "_OURS", "raise SystemExit('no memory')")
    with pytest.raises(BenchError, match="alone.so: a process that runs it fails: no memory; run"):
        deployment_rows(model, 1, rounds=1)


def test_the_table():
    row = deployment.DeploymentRow(
        way="standalone",
        threads=1,
        load_s=0.0012,
        first_s=0.01,
        median_s=0.002,
        peak_kib=28 * 1024,
        file_bytes=2048,
    )
    assert (
        deployment_table([row]).splitlines()[-1] == "| standalone | 2 | 1.2 | 10.00 | 2.00 | 28 |"
    )
