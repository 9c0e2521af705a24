import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import tvm

from tests.cli.conftest import PHASE
from tvm_patdnn.cli import main
from tvm_patdnn.cli.signals import signals_remembered

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such signals on this system")

ENDS = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}


@pytest.fixture(autouse=True)
def not_ignored():
    """A shell lets what it runs in the background, such as these tests, ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def without_phases(said: str) -> str:
    *before, last = said.splitlines(keepends=True)
    return "".join([*(line for line in before if not PHASE.fullmatch(line)), last])


def is_gone(pid: int) -> bool:
    """A killed process is there until the system's first process has noticed its end."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", ENDS)
def test_a_signal_raises_and_is_remembered(number):
    before = signal.getsignal(number)
    with signals_remembered() as came, pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    assert came == [number]
    assert signal.getsignal(number) is before


def test_what_is_ignored_stays_so():
    """As for commands that a shell has put into the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with signals_remembered() as came:
            os.kill(os.getpid(), signal.SIGINT)
        assert came == []
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_have_no_signals():
    found = []

    def use():
        with signals_remembered() as came:
            found.append(came)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert found == [[]]


@pytest.mark.parametrize("number", ENDS)
@pytest.mark.parametrize("command", ["build", "inspect"])
def test_a_signal_in_a_pass(files, capsys, monkeypatch, tmp_path, command, number):
    """TVM calls passes from C++, through which exceptions must find their way."""

    @tvm.transform.module_pass(opt_level=0)
    class Interrupted:
        def transform_module(self, mod, context):
            os.kill(os.getpid(), number)
            time.sleep(0.01)
            return mod

    monkeypatch.setattr("relay_passes.pipeline.canonical_passes", lambda: [Interrupted()])
    output = ["-o", str(tmp_path / "model.so")] if command == "build" else []
    status, word = ENDS[number]
    assert main([command, str(files / "pruned.onnx"), *output]) == status
    said = capsys.readouterr()
    assert (said.out, without_phases(said.err)) == ("", f"tvm-patdnn: {word}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_is_swallowed_still_counts(capsys, monkeypatch):
    def swallow(_):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise ZeroDivisionError from None

    monkeypatch.setattr("tvm_patdnn.cli.entry._run", swallow)
    assert main(["inspect", "model.onnx"]) == 130
    assert capsys.readouterr().err == "tvm-patdnn: interrupted\n"


@pytest.mark.parametrize("number", ENDS)
def test_a_signal_while_another_program_links(files, tmp_path, number):
    """A real process with a linker that never ends: both are gone, and nothing is left."""
    begun, linker, folder = (tmp_path / name for name in ("begun", "linker", "out"))
    linker.write_text(f"#!/bin/sh\necho $$ > {begun}.part; mv {begun}.part {begun}; exec sleep 999")
    linker.chmod(0o755)
    folder.mkdir()
    words = [sys.executable, "-m", "tvm_patdnn", "build", files / "pruned.onnx"]
    process = subprocess.Popen(
        [*words, "-o", folder / "model.so"],
        env={**os.environ, "CXX": str(linker)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 300
    while not begun.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    status, word = ENDS[number]
    assert without_phases(process.communicate(timeout=60)[1]) == f"tvm-patdnn: {word}\n"
    assert process.returncode == status
    assert list(folder.iterdir()) == []
    assert is_gone(int(begun.read_text()))
