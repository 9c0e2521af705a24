import pytest

from tests.bench.samples import layer_row, row
from tvm_patdnn.bench.report_page import write_report
from tvm_patdnn.bench.rows import Status

pytest.importorskip("matplotlib")


def test_the_page_shows_each_model_with_its_plot(tmp_path):
    rows = [
        layer_row(),
        row("onnxruntime", median_s=0.003, ratio=0.75),
        row("ncnn", status=Status.MISSING, message="not installed", median_s=None, repeats=0),
        row(layer="conv1"),
    ]
    write_report(rows, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "## net, 2 threads" in page
    assert "## net, by layer, 2 threads" in page
    assert "Faster than tvm-patdnn here: onnxruntime." in page
    assert "| tvm-patdnn | 4 | 3 .. 6 | 1.00 |" in page
    assert "missing: not installed |" in page
    assert "| conv1 | pattern | 2.000 | 50.0 | 61 % |" in page
    assert "Machine: A CPU, 2 CPUs. Date: 2026-01-02. Command: `tvm-patdnn bench net.onnx`" in page
    for plot in ("net-2-threads.svg", "net-by-layer-2-threads.svg"):
        assert f"(page/{plot})" in page
        assert (tmp_path / "page" / plot).exists()


def test_of_two_runs_the_last_counts(tmp_path):
    write_report([row(), row(median_s=0.005)], tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert page.count("| tvm-patdnn |") == 1
    assert "takes 5 ms" in page
    assert "Faster than tvm-patdnn here: none of them." in page


def test_tables_are_whole(tmp_path):
    write_report([layer_row(), row("torch")], tmp_path / "page.md")
    tables = [
        line.count("|") for line in (tmp_path / "page.md").read_text().splitlines() if "|" in line
    ]
    assert tables == [10] * 4 + [6] * 4


def test_a_model_without_measurements_has_no_plot(tmp_path):
    write_report([row(median_s=None, status=Status.FAILED)], tmp_path / "page.md")
    assert "![" not in (tmp_path / "page.md").read_text()
