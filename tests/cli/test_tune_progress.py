"""What is shown while trials run: on a terminal, in a log, and where nothing is to be."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from tvm_patdnn.cli import tune_progress as module
from tvm_patdnn.cli.tune_progress import TuneProgress

TASK = SimpleNamespace(layers=("conv1", "conv2", "conv3", "conv4"))
TUNED = SimpleNamespace(task=TASK, trials=9, default_s=2e-3, best_s=1e-3, winner="tile 1x2")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A second goes by at each look."""
    seconds = iter(range(10_000))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(seconds))


def shown(monkeypatch, stream, *, quiet=False, tuned=TUNED):
    monkeypatch.setattr(sys, "stderr", stream)
    with TuneProgress(100, quiet=quiet) as progress:
        progress.phase("measuring")
        for done in range(41, 61):
            progress.trials(done, TASK, 1.5e-3)
        progress.finished(tuned)
    return stream.getvalue()


def test_a_terminal_has_a_bar(monkeypatch):
    text = shown(monkeypatch, Terminal())
    assert "60/100" in text
    assert "conv1, best 1.500 ms" in text
    assert "trials/s" in text
    assert "41/100" in text  # where the earlier run ended


def test_a_log_has_lines(monkeypatch, clock):
    monkeypatch.setattr(module, "_LINE_S", 20)
    first, second, *_, last = shown(monkeypatch, io.StringIO()).splitlines()
    assert first == "tvm-patdnn: measuring"
    assert second.startswith("tvm-patdnn: 5")
    assert " of 100 trials, 0." in second
    assert second.endswith(" min left: conv1, best 1.500 ms")
    assert last == (
        "tvm-patdnn: conv1, conv2, conv3, ...: 9 trials, 2.000 ms before, 1.000 ms after: tile 1x2"
    )


def test_a_layer_of_which_nothing_ran(monkeypatch):
    failed = SimpleNamespace(**{**vars(TUNED), "best_s": float("inf")})
    text = shown(monkeypatch, io.StringIO(), tuned=failed)
    assert text.endswith("conv3, ...: 9 trials, none of which ran: the log says why\n")


def test_quiet(monkeypatch):
    assert shown(monkeypatch, io.StringIO(), quiet=True) == ""
