import json

import pytest

from tests.bench.samples import row
from tvm_patdnn.bench.rows import Status, json_line, read_rows
from tvm_patdnn.errors import BenchError


def test_rows_survive_a_file(tmp_path):
    rows = [row(), row("ncnn", status=Status.MISSING, median_s=None), row(layer="conv1")]
    (tmp_path / "a.jsonl").write_text(json_line(rows[0]) + "\n\n")
    (tmp_path / "b.jsonl").write_text("\n".join(map(json_line, rows[1:])))
    assert read_rows([tmp_path / "a.jsonl", tmp_path / "b.jsonl"]) == rows


def test_a_row_has_what_readers_rely_on():
    promised = (
        "model system threads median_s p10_s p90_s repeats max_rel_error peak_rss_bytes "
        "library_bytes build_s versions cpu"
    )
    assert set(promised.split()) <= set(json.loads(json_line(row())))


def test_fields_of_a_newer_version_are_ignored(tmp_path):
    stored = {**json.loads(json_line(row())), "joules": 3}
    (tmp_path / "a.jsonl").write_text(json.dumps(stored))
    assert read_rows([tmp_path / "a.jsonl"]) == [row()]


@pytest.mark.parametrize("line", ["{}", "[1]", "not JSON", '{"status": "great"}'])
def test_what_is_no_row_is_named(tmp_path, line):
    (tmp_path / "a.jsonl").write_text(f"{json_line(row())}\n{line}\n")
    with pytest.raises(BenchError, match=r"a.jsonl:2: is not a row of a comparison .*--json FILE"):
        read_rows([tmp_path / "a.jsonl"])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BenchError, match="none.jsonl: cannot be read"):
        read_rows([tmp_path / "none.jsonl"])


@pytest.mark.parametrize(
    ("status", "median_s", "counts"),
    [
        (Status.OK, 0.1, True),
        (Status.UNCHECKED, 0.1, True),
        (Status.WRONG, 0.1, False),
        (Status.OK, None, False),
        (Status.TIMEOUT, None, False),
    ],
)
def test_only_a_right_and_measured_time_counts(status, median_s, counts):
    assert row(status=status, median_s=median_s).counts is counts
