import io
import sys
from types import SimpleNamespace

import pytest

from tvm_patdnn.cli.train_progress import TrainBar


def shown(monkeypatch, *, terminal, quiet=False):
    """Returns what a bar writes on stderr."""
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", stream)
    with TrainBar(100, quiet=quiet) as bar:
        bar.begin(SimpleNamespace(name="prune", epochs=12), 4)
        bar.tick(60)
        bar.note({"loss": 0.5, "train_top1": 81.25, "test_top1": 79.5})
        bar.note({"loss": 0.25, "train_top1": 90.0})
    return stream.getvalue()


def test_a_terminal_sees_the_epoch(monkeypatch):
    said = shown(monkeypatch, terminal=True)
    assert "prune 5/12" in said
    assert "loss 0.500, train 81.25%, test 79.50%" in said
    assert "loss 0.250, train 90.00%]" in said


def test_without_a_terminal_each_epoch_is_a_line(monkeypatch):
    assert shown(monkeypatch, terminal=False).splitlines() == [
        "prune 5/12: loss 0.500, train 81.25%, test 79.50%",
        "prune 5/12: loss 0.250, train 90.00%",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_is_shown(monkeypatch, terminal):
    assert shown(monkeypatch, terminal=terminal, quiet=True) == ""
