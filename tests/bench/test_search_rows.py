from dataclasses import replace

import pytest

from tests.bench.samples import search_row
from tvm_patdnn.bench.search_rows import read_search_rows, search_lines
from tvm_patdnn.errors import BenchError


def test_of_equal_rows_the_last_counts(tmp_path):
    first = search_row()
    rows = [first, search_row("other"), replace(first, genetic_s=None), replace(first, threads=1)]
    (tmp_path / "rows.jsonl").write_text("\n".join(search_lines(rows)))
    assert read_search_rows(tmp_path / "rows.jsonl") == [rows[2], rows[1], rows[3]]


@pytest.mark.parametrize("text", ["{}", "[1]", "no row"])
def test_another_file(tmp_path, text):
    (tmp_path / "rows.jsonl").write_text(text)
    with pytest.raises(BenchError, match="rows.jsonl: is not a file of rows .* --json wrote"):
        read_search_rows(tmp_path / "rows.jsonl")
    with pytest.raises(BenchError, match="is not a file of rows"):
        read_search_rows(tmp_path / "none.jsonl")
