import json
import sys

import onnx
import pytest

from tests.built import library, pruned_network, require_linker
from tvm_patdnn.bench import deployment
from tvm_patdnn.bench.deployment import (
    DeploymentRow,
    allowed_kib,
    deployment_rows,
    deployment_table,
)

ROW = DeploymentRow(
    model="net",
    way="standalone",
    threads=1,
    import_s=0.004,
    load_s=0.0012,
    first_s=0.01,
    median_s=0.002,
    peak_kib=28 * 1024,
    allowed_kib=None,
    file_bytes=2048,
    versions={},
    cpu="a CPU, 2 CPUs",
    date="2026-01-01",
)


@pytest.mark.long
def test_all_ways_are_measured(tmp_path):
    require_linker(library())
    onnx.save(pruned_network(), tmp_path / "model.onnx")
    rows = deployment_rows(tmp_path / "model.onnx", 2, rounds=1, repeats=2)
    ways = ["C program", "standalone", "TVM", "TVM's runtime alone", "onnxruntime"]
    assert [row.way for row in rows] == ways
    program, alone, vm, runtime, _ = rows
    assert program.peak_kib < alone.peak_kib < runtime.peak_kib < vm.peak_kib
    assert program.peak_kib <= program.allowed_kib
    assert all(row.load_s > 0 and row.median_s > 0 and row.file_bytes > 0 for row in rows)
    assert {row.model for row in rows} == {"model"}
    assert all("apache-tvm" in row.versions for row in rows)


def test_what_a_program_may_take_counts_huge_pages():
    said = {"memory": (4 << 20) + 1, "tensors": 1024}
    assert allowed_kib(2048, said) == 2 + 6 * 1024 + 1 + 4 * 1024
    assert allowed_kib(0, {"memory": 1024, "tensors": 0}) == 1 + 4 * 1024


def test_the_table():
    assert deployment_table([ROW]).splitlines()[-1] == (
        "| standalone | 2 | 4.0 | 1.2 | 10.00 | 2.00 | 28 |"
    )


def test_rows_are_added_to_the_file(tmp_path, monkeypatch, capsys):
    file = tmp_path / "rows.jsonl"
    monkeypatch.setattr(deployment, "deployment_rows", lambda *_, **__: [ROW])
    monkeypatch.setattr(sys, "argv", ["deployment", "net.onnx", "--json", str(file)])
    deployment._main()
    deployment._main()
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["model"] for row in rows] == ["net", "net"]
    assert rows[0]["cpu"] == "a CPU, 2 CPUs"
    assert "| standalone |" in capsys.readouterr().out
