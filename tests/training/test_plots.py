import pytest

from tvm_patdnn.errors import PlotError
from tvm_patdnn.sparse.patterns import Pattern
from tvm_patdnn.training import plots
from tvm_patdnn.training.sensitivity import Sensitivity

pytest.importorskip("matplotlib")

HISTORY = [
    {"phase": "dense", "epoch": 0, "lr": 0.1, "train_top1": 30.0, "test_top1": 25.0},
    {"phase": "prune", "epoch": 0, "lr": 0.01, "train_top1": 50.0},
    {"phase": "retrain", "epoch": 0, "lr": 0.05, "train_top1": 60.0, "test_top1": 55.5},
]
LOG = [
    {"epoch": epoch, "constraint": name, "residual": 1 / epoch}
    for epoch in (1, 2, 4)
    for name in ("pattern", "connectivity")
]


@pytest.fixture
def titles(monkeypatch):
    """Collects what plots say."""
    found = []
    write = plots._write

    def noting(figure, path, title):
        found.append(title)
        write(figure, path, title)

    monkeypatch.setattr(plots, "_write", noting)
    return found


def test_curves(tmp_path, titles):
    plots.draw_curves(HISTORY, tmp_path / "c.svg")
    text = (tmp_path / "c.svg").read_text()
    assert "<svg" in text
    assert titles == ["Top-1 on the test images: 55.50% at the end"]


def test_residuals(tmp_path, titles):
    plots.draw_residuals(LOG, tmp_path / "r.png")
    assert (tmp_path / "r.png").read_bytes()[1:4] == b"PNG"
    assert titles == ["Residuals at the last update: pattern 0.250, connectivity 0.250"]


def test_residuals_of_a_method_with_one(tmp_path, titles):
    plots.draw_residuals([{"epoch": 3, "residual": 0.5}], tmp_path / "r.svg")
    assert titles == ["Residuals at the last update: all 0.500"]


def test_patterns(tmp_path, titles):
    counts = {Pattern.from_picture("##./##./..."): 30, Pattern.from_picture(".#./###/..."): 70}
    plots.draw_patterns(counts, tmp_path / "p.svg")
    assert titles == ["2 patterns; the most frequent has 70% of 100 kernels"]


def test_sensitivities(tmp_path, titles):
    rows = [
        Sensitivity(layer=layer, rate=rate, top1=90 - rate * weight, loss_rise=0.0)
        for layer, weight in (("a", 1.0), ("b", 5.0))
        for rate in (1.0, 8.0)
    ]
    plots.draw_sensitivities(rows, tmp_path / "s.svg")
    assert titles == ["b suffers most: 50.0% at 8x"]


def test_other_formats(tmp_path):
    with pytest.raises(PlotError, match=r"plots are written as .png or .svg"):
        plots.draw_curves(HISTORY, tmp_path / "c.pdf")
