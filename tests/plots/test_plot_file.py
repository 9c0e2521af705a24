import sys

import pytest

from tvm_patdnn.errors import BuildError, PlotError
from tvm_patdnn.plots.plot_file import check_plot, write_plot

pytest.importorskip("matplotlib")


@pytest.mark.parametrize(("name", "start"), [("p.png", b"\x89PNG"), ("p.svg", b"<?xml")])
def test_equal_plots_are_equal_files(tmp_path, name, start):
    written = []
    for _ in range(2):
        figure = check_plot(tmp_path / name).Figure()
        figure.add_subplot().plot([1, 2])
        write_plot(figure, tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0].startswith(start)
    assert written[0] == written[1]


def test_other_formats_are_declined(tmp_path):
    with pytest.raises(PlotError, match="plot.gif: plots are written as .png or .svg"):
        check_plot(tmp_path / "plot.gif")


def test_a_folder_that_is_not_there_is_told_before_the_work(tmp_path):
    with pytest.raises(BuildError, match="cannot be written"):
        check_plot(tmp_path / "none" / "plot.svg")


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PlotError, match=r"install tvm-patdnn\[bench\]"):
        check_plot(tmp_path / "plot.svg")
