from dataclasses import replace

import pytest

from tests.bench.samples import search_row
from tvm_patdnn.bench.search_plot import finding, save_search_plot
from tvm_patdnn.plots.colours import colour_of

pytest.importorskip("matplotlib")


def test_the_finding():
    rows = [search_row(), replace(search_row("other"), random_s=0.004)]
    assert finding(rows) == (
        "what 3 guided trials find is 2.83x as fast as what 4 random ones find, "
        "2.00x to 4.00x by layer"
    )
    assert finding([replace(search_row(), genetic_s=None)]) == "nothing was measured"


def test_the_best_so_far_of_each_layer(tmp_path, monkeypatch):
    import matplotlib as mpl

    monkeypatch.setitem(mpl.rcParams, "svg.fonttype", "none")  # text as text
    save_search_plot([search_row(), search_row("other")], tmp_path / "plot.svg")
    drawn = (tmp_path / "plot.svg").read_text()
    for text in ("layer", "other", "genetic", "random", "default", "trials", "guided trials"):
        assert text in drawn
    for name in ("genetic", "random", "default"):
        assert drawn.count(colour_of(name)) >= 2
