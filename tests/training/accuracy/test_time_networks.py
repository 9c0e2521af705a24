import os

import pytest

from tests.training.runs import TINY
from tests.training.samples import dense, row
from tests.training.tiny import made_data
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.machine.threads import VARIABLE
from tvm_patdnn.training.accuracy import time_networks
from tvm_patdnn.training.accuracy.time_networks import time_networks as timed


@pytest.fixture
def threads(monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")


def test_networks_of_each_structure_are_built_and_timed(threads, monkeypatch):
    monkeypatch.setattr(time_networks, "_ROUNDS", 2)
    monkeypatch.setattr(time_networks, "_REPEATS", 2)
    made = {"network": TINY, "data": "made"}
    rows = [dense(**made), row(**made), row(**made, seed=1), row(**made, filter_block=2)]
    rows += [row(**made, patterns=56), row(**made, method="filter"), row(data="others")]
    ticks = []
    found = timed(rows, made_data(), threads=1, tick=lambda: ticks.append(1))
    assert len(found.milliseconds) == len(ticks) == 5
    assert all(0 < time < 1000 for time in found.milliseconds.values())
    assert [found.of(each) is None for each in rows] == [False] * 6 + [True]
    assert found.threads == int(os.environ[VARIABLE]) == 1
    assert "tvm-patdnn" in found.versions


def test_the_pruned_networks_have_the_zeros_of_their_rows(threads, tmp_path):
    made = {"network": TINY, "data": "made"}
    for changes in ({"filter_block": 2}, {"patterns": 56}, {"connectivity": 1.0}):
        path = tmp_path / f"{next(iter(changes))}.onnx"
        model = time_networks._build(row(**made, **changes), made_data(), path)
        by_name = {layer.name: layer for layer in model.report}
        inner = by_name["inner.0"]
        wanted = 2.25 if "connectivity" in changes else 8.1
        assert inner.compression == pytest.approx(wanted, rel=0.05)
        assert (len(inner.patterns) > 8) == ("patterns" in changes)


def test_rows_of_other_data():
    with pytest.raises(TrainingError, match="no row is of made; give the data that the rows were"):
        timed([row()], made_data())
