import json

import pytest

from tests.records.samples import key_of, record
from tvm_patdnn.records.record_files import append_records, read_log

SLOW, FAST, FAILED = record(2e-3), record(1e-3, schedule={"group": 2}), record(None, error="no")


@pytest.fixture
def log(tmp_path):
    append_records(tmp_path / "log.jsonl", [SLOW, FAST, FAILED])
    return tmp_path / "log.jsonl"


def test_show(log, printed):
    key = key_of(workload="in 1x9x9x9")
    append_records(
        log, [record(None, key, layers=names) for names in (("a", "b"), ("b", "c", "d"))]
    )
    assert printed("logs", "show", log) == (
        "in 1x8x8x8 kernel 3x3 (a, 2 threads; l)\n"
        "    3 trials, 1 failed; 1.000 ms: dense, tile 1x1, group 2, hold weights, outer tile, "
        "chunks 1\n"
        "a, b, c, ...: in 1x9x9x9 (a, 2 threads; l)\n"
        "    2 trials, 2 failed; none ran\n"
    )


def test_show_as_json(log, printed):
    (layer,) = json.loads(printed("logs", "show", log.parent, "--json"))
    assert (layer["workload"], layer["trials"], layer["failures"]) == (key_of().workload, 3, 1)
    assert layer["layers"] == []
    assert (layer["seconds"], layer["configuration"]["group"]) == (1e-3, 2)


def test_best_prints_a_log(log, printed, tmp_path):
    best = tmp_path / "best.jsonl"
    best.write_text(printed("logs", "best", log))
    assert list(read_log(best)) == [FAST]


def test_merge(log, printed, tmp_path):
    other, merged = tmp_path / "other.jsonl", tmp_path / "merged.jsonl"
    append_records(other, [FAST, record(5.0)])
    assert printed("logs", "merge", log, other, "-o", merged) == f"{merged}: 4 records\n"
    assert list(read_log(merged)) == [SLOW, FAST, FAILED, record(5.0)]


def test_prune(log, printed, caplog):
    append_records(log, [record(3.0, version=0)])
    said = printed("logs", "prune", log, "--keep", "1")
    assert said == f"{log}: kept 1 of 3 records of this version\n"
    assert list(read_log(log)) == [FAST]


def test_errors(log, failing, misused, tmp_path):
    assert "no such file or folder" in failing("logs", "show", tmp_path / "none")
    assert "at least 1" in misused("logs", "prune", log, "--keep", "0")
    misused("logs")
