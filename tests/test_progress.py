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


def test_lines_where_there_is_no_terminal(stderr):
    stream = stderr(terminal=False)
    walk(lines=True)
    assert stream.getvalue() == "tvm-patdnn: first\ntvm-patdnn: second\n"


@pytest.mark.parametrize("options", [{"quiet": True, "lines": True}, {}])
def test_no_lines(stderr, options):
    stream = stderr(terminal=False)
    walk(**options)
    assert stream.getvalue() == ""


def test_a_terminal_has_the_bar_instead_of_lines(stderr):
    stream = stderr(terminal=True)
    walk(lines=True)
    assert "tvm-patdnn: " not in stream.getvalue()
