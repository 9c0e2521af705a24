"""A system in a comparison: from its preparation to its last turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.bench.environments import find_python
from tvm_patdnn.bench.options import BenchOptions
from tvm_patdnn.bench.rows import Status
from tvm_patdnn.bench.system import Job, System
from tvm_patdnn.bench.worker_process import WorkerFailed, WorkerProcess, WorkerTimeout
from tvm_patdnn.errors import BenchError
from tvm_patdnn.machine.cores import choose_cpus

__all__ = ["Entrant"]

_FEWEST_TURNS = 3
_SLACK = 60.0  # seconds that a turn may take beyond its limit: one run of a slow system


@dataclass(kw_only=True, eq=False)
class Entrant:
    """One system with one model.

    Attributes:
        system: what runs.
        job: what it runs.
        inputs: an .npz file.
        status: OK until something goes wrong; ``message`` says what.
        turns: timed seconds by round.
        kernels: seconds of each convolution, by round, of a system that tells.
    """

    system: System
    job: Job
    inputs: Path
    options: BenchOptions
    status: Status = Status.OK
    message: str = ""
    built: Mapping[str, Any] = field(default_factory=dict)
    loaded: Mapping[str, Any] = field(default_factory=dict)
    turns: dict[int, list[float]] = field(default_factory=dict)
    kernels: dict[int, list[tuple[str, float]]] = field(default_factory=dict)
    peak_rss_bytes: int | None = None
    _worker: WorkerProcess | None = None

    def start(self) -> None:
        """Prepares the model, and loads it in a fresh process; a failure goes to ``status``."""
        try:
            python = find_python(self.system)
            if python is None:
                self._end(Status.MISSING, _how_to_install(self.system))
                return
            self._start(python)
        except WorkerTimeout as error:
            self._end(Status.TIMEOUT, str(error))
        except (WorkerFailed, BenchError) as error:
            self._end(Status.FAILED, str(error))

    def _start(self, python: str) -> None:
        limit, threads = self.options.build_limit, self.job.threads
        job = {name: _plain(value) for name, value in asdict(self.job).items()}
        with WorkerProcess(self.system, python, threads=threads, preparing=True) as preparer:
            self.built = preparer.ask("prepare", limit, job=job)
        cpus = choose_cpus(threads)
        self._worker = WorkerProcess(self.system, python, threads=threads, cpus=cpus)
        path, inputs = self.built["path"], str(self.inputs)
        self.loaded = self._worker.ask("load", limit, job=job, path=path, inputs=inputs)
        self._worker.pause()

    def outputs(self) -> list[np.ndarray] | None:
        """Runs once; None if that fails, which goes to ``status``."""
        path = self.job.folder / "outputs.npz"
        if self._try("outputs", self.options.build_limit, path=str(path)) is None:
            return None
        with np.load(path) as stored:
            return [stored[str(i)] for i in range(len(stored.files))]

    def turn(self, number: int) -> None:
        """Runs as often as a turn allows, if it still takes part."""
        limit = self.options.turn_limit
        if self._worker is None or self._is_slow():
            return
        reply = self._try(
            "run", limit + _SLACK, repeats=self.options.repeats_of_a_turn, limit=limit
        )
        if reply is not None:
            self.turns[number] = reply["seconds"]
            self.peak_rss_bytes = reply["peak_rss_bytes"]

    def profile(self, number: int) -> None:
        """Times the convolutions of one run, if it has told its layers."""
        reply = self._try("profile", _SLACK) if self.built.get("facts", {}).get("layers") else None
        if reply is not None and reply["kernels"]:
            self.kernels[number] = reply["kernels"]

    def reject(self, status: Status, message: str) -> None:
        """Takes it out of the comparison."""
        self._end(status, message)

    def close(self) -> None:
        """Ends its process."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _try(self, request: str, timeout: float, **arguments: Any) -> dict[str, Any] | None:
        if self._worker is None:
            return None
        self._worker.resume()
        try:
            return self._worker.ask(request, timeout, **arguments)
        except WorkerTimeout as error:
            self._end(Status.TIMEOUT, str(error))
        except WorkerFailed as error:
            self._end(Status.FAILED, str(error))
        finally:
            if self._worker is not None:
                self._worker.pause()
        return None

    def _is_slow(self) -> bool:
        spent = sum(sum(seconds) for seconds in self.turns.values())
        return len(self.turns) >= _FEWEST_TURNS and spent > self.options.budget

    def _end(self, status: Status, message: str) -> None:
        self.status, self.message = status, message
        self.close()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _how_to_install(system: System) -> str:
    return f"not installed: tvm-patdnn bench --install {system.name}"
