import re

import pytest

from tests.bench.samples import row
from tvm_patdnn.bench.plot import save_plot
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.bench.systems import LADDER_SYSTEMS, SYSTEMS
from tvm_patdnn.errors import BenchError
from tvm_patdnn.plots.colours import colour_of

pytest.importorskip("matplotlib")


@pytest.fixture
def svg(tmp_path, monkeypatch):
    """Draws rows and returns the text of the file."""
    import matplotlib as mpl

    monkeypatch.setitem(mpl.rcParams, "svg.fonttype", "none")  # text as text

    def draw(rows) -> str:
        save_plot(rows, tmp_path / "plot.svg")
        return (tmp_path / "plot.svg").read_text()

    return draw


def test_each_system_has_its_bar_and_its_number(svg):
    drawn = svg([row(), row("onnxruntime", median_s=0.008, ratio=2.0)])
    assert "tvm-patdnn takes 4 ms; 2.00x as fast as onnxruntime" in drawn
    assert "8  (2.00x ours)" in drawn
    assert colour_of("tvm-patdnn") in drawn
    assert colour_of("onnxruntime") in drawn


def test_what_does_not_count_has_no_bar(svg):
    drawn = svg([row(), row("ncnn", status=Status.WRONG), row("MNN", median_s=None)])
    assert "ncnn" not in drawn
    assert "MNN" not in drawn


def test_a_bar_that_would_hide_the_others_is_named_instead(svg):
    drawn = svg([row(), row("tvm-untuned", median_s=1.8, ratio=450)])
    assert "off the scale: tvm-untuned 1,800 ms" in drawn
    assert colour_of("tvm-untuned") not in drawn


def test_layers_share_a_plot(svg):
    drawn = svg(
        [
            row(layer="conv1"),
            row("tvm-dense", layer="conv1"),
            row(layer="conv2"),
            row("tvm-dense", layer="conv2"),
        ]
    )
    assert re.findall(r">(conv[12])<", drawn) == ["conv1", "conv2"]
    assert colour_of("tvm-dense") in drawn


def test_a_ladder_is_drawn_against_dense(svg):
    rungs = {"dense": 4.0, "no-opt": 8.0, "+tune": 1.0}
    drawn = svg([row(name, series="ladder", ratio=ratio) for name, ratio in rungs.items()])
    assert "times as fast as dense" in drawn
    assert colour_of("+tune") in drawn
    assert colour_of("dense") not in drawn  # it is the line at 1


def _sweep(name: str, series: str, ratios: dict) -> list:
    return [row(name, series=series, value=value, ratio=each) for value, each in ratios.items()]


def test_a_sweep_is_drawn_with_its_break_even(svg):
    ours = _sweep("tvm-patdnn", "compression", {2: 1.0, 8: 1.0})
    drawn = svg([*ours, *_sweep("tvm-dense", "compression", {2: 0.5, 8: 2.0})])
    assert "break-even 4x" in drawn
    assert "stroke-dasharray" in drawn
    assert {colour_of("tvm-patdnn"), colour_of("tvm-dense")} <= set(
        re.findall("#[0-9a-f]{6}", drawn)
    )
    drawn = svg([*ours, *_sweep("tvm-dense", "compression", {2: 1.5, 8: 2.0})])
    assert "stroke-dasharray" not in drawn  # it lies below the first point


def test_other_sweeps_have_no_break_even(svg):
    rows = _sweep("tvm-patdnn", "patterns", {4: 1.0, 8: 1.0})
    drawn = svg([*rows, *_sweep("tvm-dense", "patterns", {4: 0.5, 8: 2.0})])
    assert "patterns in the set" in drawn
    assert "break-even" not in drawn


def test_equal_plots_are_equal_files(svg):
    assert svg([row()]) == svg([row()])


def test_a_picture_is_written_too(tmp_path):
    save_plot([row()], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_every_system_has_a_colour_of_its_own():
    names = [*SYSTEMS, *LADDER_SYSTEMS]
    assert len({colour_of(name) for name in names}) == len(names)
    assert colour_of("another") not in {colour_of(name) for name in names}


def test_without_measurements_there_is_nothing_to_draw(tmp_path):
    with pytest.raises(BenchError, match="nothing was measured that could be drawn"):
        save_plot([row(median_s=None)], tmp_path / "plot.svg")
