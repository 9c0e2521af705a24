import json

import pytest

from tests.bench.samples import row
from tvm_patdnn.bench import ci
from tvm_patdnn.bench.ci import failures, read_floors
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.errors import BenchError


def _rows(ratio: float) -> list:
    return [
        row(layer="conv"),
        row("tvm-dense", layer="conv", ratio=ratio),
        row("onnxruntime", layer="conv", status=Status.MISSING, median_s=None),
    ]


def test_a_ratio_above_its_floor_is_fine():
    assert failures(_rows(3.0), {"conv": 1.3}) == []


def test_a_ratio_under_its_floor_fails():
    assert failures(_rows(1.25), {"conv": 1.3}) == [
        "conv: pruned is 1.25x as fast as dense, expected at least 1.3x"
    ]


@pytest.mark.parametrize("system", ["tvm-patdnn", "tvm-dense"])
def test_a_wrong_output_fails(system):
    rows = [each for each in _rows(3.0) if each.system != system]
    rows.append(row(system, layer="conv", status=Status.WRONG, message="differs by 1"))
    assert failures(rows, {"conv": 1.3}) == [f"conv: {system} wrong: differs by 1"]


def test_a_floor_of_nothing_fails():
    (said,) = failures(_rows(3.0), {"gone": 1.3})
    assert said == "gone: has a floor but was not measured; correct the file of floors"


@pytest.mark.parametrize("text", ["[]", '{"conv": "fast"}', "not JSON"])
def test_what_is_no_file_of_floors_is_named(tmp_path, text):
    (tmp_path / "floors.json").write_text(text)
    with pytest.raises(BenchError, match=r"floors.json: is not a file of floors .*; expected JSON"):
        read_floors(tmp_path / "floors.json")


@pytest.mark.parametrize(("ratio", "strict", "report"), [(2.0, 0, 0), (1.2, 1, 0), (0.9, 1, 1)])
def test_a_report_fails_only_where_pruned_is_slower(tmp_path, monkeypatch, ratio, strict, report):
    monkeypatch.setattr(ci, "_measure", lambda args: _rows(ratio))
    (tmp_path / "floors.json").write_text(json.dumps({"conv": 1.3}))
    words = ["--network", "net.onnx", "--floors", str(tmp_path / "floors.json")]
    assert ci.main(words) == strict
    assert ci.main([*words, "--report"]) == report


def test_the_floors_in_the_repository_are_those_of_what_is_measured():
    from pathlib import Path

    root = Path(__file__).parents[2]
    network = root / "models" / "demosaic_bayer_pruned.onnx"
    subjects = [*map(ci._layer, ci._LAYERS), *ci._network(network)]
    assert set(read_floors(root / ".ci" / "bench-floors.json")) == {
        subject.layer for subject in subjects
    }
    dense, pruned = subjects[0].dense.graph, subjects[0].pruned.graph
    assert dense.node == pruned.node
    assert dense.initializer != pruned.initializer
