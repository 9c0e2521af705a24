import csv
import json
import sys
from types import ModuleType

import pytest

from tvm_patdnn.training import history_files
from tvm_patdnn.training.history_files import HistoryFiles

ROWS = [
    {"phase": "dense", "epoch": 0, "lr": 0.1, "loss": 2.5},
    {"phase": "prune", "epoch": 0, "lr": 0.01, "loss": 1.5, "test_top1": 40.0},
]


@pytest.fixture
def board(monkeypatch):
    """Stands in for the package: returns what is noted."""
    noted = []

    class SummaryWriter:
        def __init__(self, folder):
            noted.append(folder)

        def add_scalar(self, *what):
            noted.append(what)

        def flush(self):
            pass

        def close(self):
            noted.append("closed")

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    monkeypatch.setattr(history_files, "find_spec", lambda name: name)
    return noted


def test_both_files_have_every_epoch(tmp_path, monkeypatch):
    monkeypatch.setattr(history_files, "find_spec", lambda name: None)
    files = HistoryFiles(tmp_path)
    for count in (1, 2):
        files.write(ROWS[:count])
    files.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.csv", "history.jsonl"]
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == ROWS
    with (tmp_path / "history.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["loss"] for row in table] == ["2.5", "1.5"]
    assert [row["test_top1"] for row in table] == ["", "40.0"]


def test_tensorboard_gets_the_numbers_of_the_last_epoch(tmp_path, board):
    files = HistoryFiles(tmp_path)
    files.write(ROWS)
    files.close()
    assert board == [
        str(tmp_path / "tensorboard"),
        ("lr", 0.01, 2),
        ("loss", 1.5, 2),
        ("test_top1", 40.0, 2),
        "closed",
    ]
