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
    assert "## net by layer, 2 threads" in page
    assert "| net | 2 | onnxruntime 0.75x |" in page
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
    assert page.count("\n| tvm-patdnn |") == 1
    assert "takes 5 ms" in page
    assert "No system is, in what is measured below." in page


def test_tables_are_whole(tmp_path):
    write_report([layer_row(), row("torch")], tmp_path / "page.md")
    tables = [
        line.count("|") for line in (tmp_path / "page.md").read_text().splitlines() if "|" in line
    ]
    assert tables == [8] * 3 + [10] * 4 + [6] * 4


def test_a_model_without_measurements_has_no_plot(tmp_path):
    write_report([row(median_s=None, status=Status.FAILED)], tmp_path / "page.md")
    assert "![" not in (tmp_path / "page.md").read_text()


def test_the_dense_baseline_is_judged(tmp_path):
    rows = [row(), row("tvm-dense", ratio=3.0, median_s=0.012), row("onnxruntime", ratio=2.5)]
    write_report(rows, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "tvm-dense takes 1.20x the time of onnxruntime." in page
    assert "| net | 2 | 4 | 3.00x | 2.50x | onnxruntime 2.50x | 1.20 |" in page


def test_ladders_and_sweeps_have_their_sections(tmp_path):
    ladder = [
        row(name, layer="L1", series="ladder", ratio=ratio, command="ladder", facts={"loads": 7})
        for name, ratio in (("dense", 4.0), ("+tune", 1.0))
    ]
    sweep = [
        row(name, series="compression", value=value, ratio=ratio, command="sweep")
        for value, dense in ((1.5, 0.5), (6.0, 2.0))
        for name, ratio in (("tvm-patdnn", 1.0), ("tvm-dense", dense))
    ]
    write_report([*sweep, *ladder], tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert page.index("## The ladder on net, 2 threads") < page.index("## net by compression, 2")
    assert "| L1 | 4 | 4 (4x) |  |" in page
    assert "| L1 | 7e-06 | 7e-06 |  |" in page
    assert "break-even with tvm-dense at 3x" in page
    assert "| 1.5 | 4 | 4 (0.50x) |  |" in page
    assert "| net (compression 1.5) | 2 | tvm-dense 0.50x |" in page
    assert "Command: `ladder`." in page
    for plot in ("the-ladder-on-net-2-threads.svg", "net-by-compression-2-threads.svg"):
        assert f"(page/{plot})" in page
        assert (tmp_path / "page" / plot).exists()


def test_a_bar_in_a_message_breaks_no_table(tmp_path):
    write_report([row(), row("ncnn", status=Status.FAILED, message="a | b")], tmp_path / "page.md")
    assert r"failed: a \| b |" in (tmp_path / "page.md").read_text()
