import pytest

from tests.training.samples import dense, row
from tvm_patdnn.errors import PlotError
from tvm_patdnn.training.accuracy.groups import find_groups
from tvm_patdnn.training.accuracy.plot import draw_trade

pytest.importorskip("matplotlib")


def points():
    rows = [row(), row(seed=1, top1_pruned=88.5), dense(), row(filter_block=4)]
    return list(zip(find_groups([*rows, row(method="filter")]), (0.5, 0.4, 0.6, 2.0)))


def test_every_group_is_drawn(tmp_path):
    draw_trade(points(), tmp_path / "trade.svg")
    text = (tmp_path / "trade.svg").read_text()
    assert "<svg" in text
    draw_trade(points(), tmp_path / "again.svg")
    assert text == (tmp_path / "again.svg").read_text()


def test_another_format(tmp_path):
    with pytest.raises(PlotError, match=r"trade.gif: plots are written as .png or .svg"):
        draw_trade(points(), tmp_path / "trade.gif")
