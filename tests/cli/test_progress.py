import io
import sys

import pytest

from tests.built import network
from tvm_patdnn.builder import build
from tvm_patdnn.cli import progress
from tvm_patdnn.cli.progress import PhaseBar
from tvm_patdnn.inspection import inspect


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


def test_the_numbers_of_phases_are_right():
    for function, count in (
        (build, progress.BUILD_PHASES),
        (inspect, progress.INSPECT_PHASES - 1),  # and loading TVM
    ):
        phases = []
        function(network(), progress=phases.append)
        assert len(phases) == count
