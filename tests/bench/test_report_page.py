import re

import pytest

from tests.bench.samples import layer_row, row
from tvm_patdnn.bench.report_page import write_report

pytest.importorskip("matplotlib")


@pytest.fixture
def summary_of(tmp_path):
    """Writes all pages and returns the text of the one that sums them up."""

    def write(rows) -> str:
        write_report(rows, tmp_path / "page.md")
        return (tmp_path / "page.md").read_text()

    return write


def test_each_model_has_a_page_that_the_summary_links_to(summary_of, tmp_path):
    summary = summary_of([layer_row(), row(model="Other net"), row(layer="conv1")])
    assert re.findall(r"\]\((.*)\)", summary) == ["page/net.md", "page/other-net.md"]
    net, other = ((tmp_path / "page" / name).read_text() for name in ("net.md", "other-net.md"))
    assert "## net, 2 threads" in net
    assert "## net by layer, 2 threads" in net
    assert "Other net" not in net
    assert "## Other net, 2 threads" in other
    assert "[Benchmarks](../page.md)" in other


def test_the_summary_tells_where_we_lose(summary_of):
    assert "| net | 2 | onnxruntime 0.75x |" in summary_of(
        [row(), row("onnxruntime", median_s=0.003, ratio=0.75)]
    )
    assert "No system is, in what was measured." in summary_of([row(), row("onnxruntime", ratio=2)])


def test_of_two_runs_the_last_counts(summary_of, tmp_path):
    assert "| 2 | 5 |" in summary_of([row(), row(median_s=0.005)])
    page = (tmp_path / "page" / "net.md").read_text()
    assert page.count("\n| tvm-patdnn |") == 1
    assert "takes 5 ms" in page


def test_tables_are_whole(summary_of):
    lines = summary_of([layer_row(), row("torch")]).splitlines()
    assert [line.count("|") for line in lines if "|" in line] == [8] * 3


def test_the_dense_baseline_is_judged(summary_of):
    rows = [row(), row("tvm-dense", ratio=3.0, median_s=0.012), row("onnxruntime", ratio=2.5)]
    line = "| [net](page/net.md) | 2 | 4 | 3.00x | 2.50x | onnxruntime 2.50x | 1.20 |"
    assert line in summary_of(rows)


def test_ladders_and_sweeps_are_told_in_a_line_each(summary_of):
    ladder = [
        row(name, layer="L1", series="ladder", ratio=ratio)
        for name, ratio in (("dense", 4.0), ("+tune", 1.0))
    ]
    sweep = [
        row(name, series="compression", value=value, ratio=ratio)
        for value, dense in ((1.5, 0.5), (6.0, 2.0))
        for name, ratio in (("tvm-patdnn", 1.0), ("tvm-dense", dense))
    ]
    summary = summary_of([*sweep, *ladder])
    assert "- [The ladder on net, 2 threads](page/net.md): speed over dense" in summary
    assert "- [net by compression, 2 threads](page/net.md): tvm-patdnn takes" in summary
    assert "| net (compression 1.5) | 2 | tvm-dense 0.50x |" in summary
    assert "## Models" not in summary
