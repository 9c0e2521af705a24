import io
import re
import sys

import pytest

from tvm_patdnn.cli import main
from tvm_patdnn.cli.progress import PhaseBar


@pytest.fixture
def stderr(monkeypatch):
    def choose(terminal):
        stream = io.StringIO()
        stream.isatty = lambda: terminal
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return choose


def walk(**options):
    with PhaseBar(2, **options) as bar:
        bar("first")
        bar("second")


def test_a_terminal_sees_the_phases(stderr):
    stream = stderr(terminal=True)
    walk()
    assert "0/2" in stream.getvalue()
    assert "first" in stream.getvalue()
    assert stream.getvalue().index("first") < stream.getvalue().index("second")
    assert "1/2" in stream.getvalue()


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)])
def test_nothing_is_shown(stderr, terminal, quiet):
    stream = stderr(terminal=terminal)
    walk(quiet=quiet)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", "pruned.onnx"],
        ["prune", "model.onnx", "-o", "out.onnx"],
        ["build", "pruned.onnx", "-o", "out.so"],
        ["run", "model.so", "--input", "x=x.npy", "--repeats", "1"],
    ],
)
def test_every_command_counts_its_phases(stderr, files, monkeypatch, words):
    monkeypatch.chdir(files)
    stream = stderr(terminal=True)
    assert main(words) == 0
    done, phases = re.findall(r"(\d+)/(\d+)", stream.getvalue())[-1]
    assert int(done) == int(phases) - 1 >= 2  # the last one is under way
