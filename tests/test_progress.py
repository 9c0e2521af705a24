import io
import sys

import pytest

from tvm_patdnn.progress import PhaseBar


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
