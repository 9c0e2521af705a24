"""Talks to a worker from the process that runs the comparison."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tvm_patdnn.bench.system import System

__all__ = ["WorkerFailed", "WorkerProcess", "WorkerTimeout"]

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TVM_NUM_THREADS",
)
_STARTER = Path(__file__).with_name("worker_start.py")
_CHUNK = 1 << 16


class WorkerFailed(Exception):  # noqa: N818 -- a result to show, not an error that we raise
    """The system cannot do what it was asked; the message says why."""


class WorkerTimeout(WorkerFailed):
    """The system did not answer in time."""


class WorkerProcess:
    """A system in a process of its own.

    Between its turns it is stopped by a signal, so that threads which spin after their work
    take nothing from the others.

    Args:
        system: what runs in it.
        python: the interpreter of its environment.
        threads: how many threads may compute.
        cpus: the CPUs to run on; none means all.
        preparing: it is started to convert a model, not to run one.
    """

    def __init__(
        self,
        system: System,
        python: str,
        *,
        threads: int,
        cpus: Sequence[int] = (),
        preparing: bool = False,
    ) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by `close`
        self._received = b""
        self._process = subprocess.Popen(
            [*_command(python), system.name, ",".join(map(str, cpus))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_environment(python, threads, {} if preparing else system.environment),
            start_new_session=True,  # Ctrl-C is for us
        )

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def ask(self, request: str, timeout: float, **arguments: Any) -> dict[str, Any]:
        """Sends a request and waits for its reply.

        Args:
            request: the name of a method of ``Worker``.
            timeout: seconds.
            arguments: of the method.

        Raises:
            WorkerFailed: the system raised an error or its process died.
            WorkerTimeout: it took longer; its process is ended.
        """
        line = json.dumps({"request": request, **arguments}) + "\n"
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
            reply = json.loads(self._read_line(time.monotonic() + timeout, timeout))
        except BrokenPipeError:
            raise self._death() from None
        if "error" in reply:
            raise WorkerFailed(reply["error"])
        return reply

    def pause(self) -> None:
        """Stops all its threads."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on after ``pause``."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """Ends the process, whatever it is doing."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _read_line(self, deadline: float, timeout: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._received:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                self.close()
                raise WorkerTimeout(f"no answer within {timeout:.0f} s")
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                raise self._death()
            self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _death(self) -> WorkerFailed:
        status = self._process.wait()
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip().splitlines()
        return WorkerFailed(f"its process ended ({how}){': ' + said[-1][:300] if said else ''}")


def _command(python: str) -> list[str]:
    if python == sys.executable:
        return [python, "-m", "tvm_patdnn.bench.worker"]
    return [python, str(_STARTER)]


def _environment(python: str, threads: int, own: Mapping[str, str]) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    env.update(own)
    env["PIP_DRY_RUN"] = "1"  # some packages install others when they are imported
    if python == sys.executable:  # where we were found, our worker is to be found too
        env["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return env
