import pytest

from tests.bench.samples import layer_row, row
from tvm_patdnn.bench.model_page import page_name, write_model_page
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.bench.views import groups

pytest.importorskip("matplotlib")


@pytest.fixture
def page_of(tmp_path):
    """Writes the page of the model "net" and returns its text."""

    def write(rows) -> str:
        write_model_page("net", groups(rows), "../all.md", tmp_path)
        return (tmp_path / page_name("net")).read_text()

    return write


def test_the_page_shows_the_model_with_its_plots(page_of, tmp_path):
    page = page_of(
        [
            layer_row(),
            row("onnxruntime", median_s=0.003, ratio=0.75),
            row("ncnn", status=Status.MISSING, message="not installed", median_s=None, repeats=0),
            row(layer="conv1"),
        ]
    )
    assert page.startswith("# net\n")
    assert "[Benchmarks](../all.md)" in page
    assert "## net, 2 threads" in page
    assert "## net by layer, 2 threads" in page
    assert "| tvm-patdnn | 4 | 3 .. 6 | 1.00 |" in page
    assert "missing: not installed |" in page
    assert "| conv1 | pattern | 2.000 | 50.0 | 61 % |" in page
    assert "Machine: A CPU, 2 CPUs. Date: 2026-01-02. Command: `tvm-patdnn bench net.onnx`" in page
    for plot in ("net-2-threads.svg", "net-by-layer-2-threads.svg"):
        assert f"({plot})" in page
        assert (tmp_path / plot).exists()


def test_a_model_without_measurements_has_no_plot(page_of):
    assert "![" not in page_of([row(median_s=None, status=Status.FAILED)])


def test_the_dense_baseline_is_judged(page_of):
    rows = [row(), row("tvm-dense", ratio=3.0, median_s=0.012), row("onnxruntime", ratio=2.5)]
    assert "tvm-dense takes 1.20x the time of onnxruntime." in page_of(rows)


def test_tables_are_whole(page_of):
    lines = page_of([layer_row(), row("torch")]).splitlines()
    assert [line.count("|") for line in lines if "|" in line] == [10] * 4 + [6] * 4


def test_a_bar_in_a_message_breaks_no_table(page_of):
    rows = [row(), row("ncnn", status=Status.FAILED, message="a | b")]
    assert r"failed: a \| b |" in page_of(rows)


def test_ladders_and_sweeps_have_their_sections(page_of, tmp_path):
    ladder = [
        row(name, layer="L1", series="ladder", ratio=ratio, command="ladder", facts={"loads": 7})
        for name, ratio in (("dense", 4.0), ("+tune", 1.0))
    ]
    sweep = [
        row(name, series="compression", value=value, ratio=ratio, command="sweep")
        for value, dense in ((1.5, 0.5), (6.0, 2.0))
        for name, ratio in (("tvm-patdnn", 1.0), ("tvm-dense", dense))
    ]
    page = page_of([*sweep, *ladder])
    assert page.index("## The ladder on net, 2 threads") < page.index("## net by compression, 2")
    assert "`csr` visits each kept weight by itself" in page
    assert "| L1 | 4 | 4 (4x) |  |" in page
    assert "| L1 | 7e-06 | 7e-06 |  |" in page
    assert "break-even with tvm-dense at 3x" in page
    assert "| 1.5 | 4 | 4 (0.50x) |  |" in page
    assert "Command: `ladder`." in page
    for plot in ("the-ladder-on-net-2-threads.svg", "net-by-compression-2-threads.svg"):
        assert f"({plot})" in page
        assert (tmp_path / plot).exists()
