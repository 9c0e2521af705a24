from dataclasses import replace

import pytest

from tests.bench.samples import search_row
from tvm_patdnn.bench.search_page import write_search_page
from tvm_patdnn.bench.search_rows import read_search_rows

pytest.importorskip("matplotlib")


def test_a_table_and_a_plot(tmp_path):
    rows = [search_row(), replace(search_row("other"), correlation=None, random_s=None)]
    write_search_page(rows, tmp_path / "searches.md")
    page = (tmp_path / "searches.md").read_text()
    assert "On a, 2 threads: what 3 guided trials find" in page
    assert "| layer | 1.000 | 2.000 | 3.000 | 2.00 | 0.75 |" in page
    assert "| other | 1.000 | - | 3.000 | - | - |" in page
    assert "](searches/best-so-far.svg)" in page
    assert read_search_rows(tmp_path / "searches" / "rows.jsonl") == rows
    assert (tmp_path / "searches" / "best-so-far.svg").stat().st_size > 1000
