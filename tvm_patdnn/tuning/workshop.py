"""Builds and measures the trials of a task, in processes that stay alive.

Here, a batch is built with all cores and then measured alone. With devices, each kernel is
measured as soon as it is built, by as many processes as there are devices. A process that dies
or takes too long is replaced, and the kernel it had is a failure. A kernel whose device went away
is measured once more, when the device is back or on another.
"""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL
from types import TracebackType
from typing import Any

import tvm
from tvm.support.popen_pool import PopenPoolExecutor

from tvm_patdnn.error_lines import last_line
from tvm_patdnn.errors import DeviceError, TuningError
from tvm_patdnn.machine.cores import host_cores
from tvm_patdnn.machine.threads import VARIABLE
from tvm_patdnn.records.families import Configuration
from tvm_patdnn.tuning.build_trials import ARGUMENTS, build_trial, make_arguments
from tvm_patdnn.tuning.close_pool import close_pool
from tvm_patdnn.tuning.measure_trials import Measured, measure_trials
from tvm_patdnn.tuning.places import HERE, Place
from tvm_patdnn.tuning.problem import TuningTask
from tvm_patdnn.tuning.trial_target import target_config

__all__ = ["WAIT_S", "Limits", "Workshop"]

WAIT_S = 60.0  # for a device that went away


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long trials may take, and how often they run.

    Attributes:
        build_s: seconds for the build of a kernel; on a busy machine the start of the process that
            builds takes most of a minute.
        run_s: seconds for all turns of a call; that of a device's return is on top.
        turns: of each kernel.
        cold_bytes: see ``measure_trials``.
    """

    build_s: float = 120.0
    run_s: float = 60.0
    turns: int = 7
    cold_bytes: int = 2 << 20


class Workshop:
    """A context in which trials can be built and measured.

    Args:
        target: what is built for.
        threads: that compute.
        place: where kernels run; by default a process here.
        devices: how many can be asked at the same time.
    """

    def __init__(
        self,
        target: tvm.target.Target,
        threads: int,
        *,
        place: Place = HERE,
        devices: int = 1,
        limits: Limits | None = None,
    ) -> None:
        self._target, self._place = target_config(target), place
        self._limits, self._devices = limits or Limits(), devices
        quiet = {"stdout": DEVNULL, "stderr": DEVNULL}
        self._builders = PopenPoolExecutor(host_cores(), self._limits.build_s, **quiet)
        self._runners = PopenPoolExecutor(
            devices, self._limits.run_s + WAIT_S, _compute_with, (threads,), **quiet
        )
        self._folder = Path(tempfile.mkdtemp(prefix="tvm-patdnn-tune-"))
        self._problems: dict[int, Path] = {}
        self._built = 0

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        close_pool(self._builders)
        close_pool(self._runners)
        shutil.rmtree(self._folder, ignore_errors=True)

    def measure(
        self, task: TuningTask, points: Sequence[Configuration], *, turns: int | None = None
    ) -> Iterator[Measured]:
        """Builds and measures configurations of a task; yields each as soon as it is known.

        Args:
            turns: of each; those of the limits by default.

        Raises:
            TuningError: the layer cannot be computed at all.
            DeviceError: the device went away.
        """
        problem = self._problem(task)
        folders = [self._new_folder() for _ in points]
        builds = [
            self._builders.submit(
                build_trial, str(problem / "problem"), point, self._target, str(folder)
            )
            for point, folder in zip(points, folders, strict=True)
        ]
        try:
            if self._place is HERE:
                yield from self._measured_here(problem, folders, builds, turns)
            else:
                yield from self._measured_there(problem, folders, builds, turns)
        finally:
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)

    def _measured_here(
        self, problem: Path, folders: list[Path], builds: list[Future[Any]], turns: int | None
    ) -> list[Measured]:
        errors = [_error(build) for build in builds]
        good = [folder for folder, error in zip(folders, errors, strict=True) if not error]
        found = dict(zip(good, self._run_together(problem, good, turns), strict=True))
        return [
            found.get(folder, Measured(seconds=None, error=f"build: {error}"))
            for folder, error in zip(folders, errors, strict=True)
        ]

    def _run_together(
        self, problem: Path, folders: list[Path], turns: int | None
    ) -> list[Measured]:
        """Measures kernels in one call; where one of them kills it, each in its own."""
        if not folders:
            return []
        call = self._run(problem, folders, turns)
        error = _error(call)
        if not error:
            return call.result()
        if len(folders) == 1:
            return [Measured(seconds=None, error=f"run: {error}")]
        return [self._run_together(problem, [folder], turns)[0] for folder in folders]

    def _measured_there(
        self, problem: Path, folders: list[Path], builds: list[Future[Any]], turns: int | None
    ) -> Iterator[Measured]:
        calls = []
        for folder, build in zip(folders, builds, strict=True):
            error = _error(build)
            calls.append(f"build: {error}" if error else self._run(problem, [folder], turns))
        for folder, call in zip(folders, calls, strict=True):
            found = self._outcome_there(call)
            yield self._again(problem, folder, turns) if found.lost else found

    def _again(self, problem: Path, folder: Path, turns: int | None) -> Measured:
        """Measures a kernel whose device was lost: where others are, one of these can do it."""
        for _ in range(self._devices - 1):
            with suppress(DeviceError):
                return _outcome(self._run(problem, [folder], turns))
        return _outcome(self._run(problem, [folder], turns))

    def _outcome_there(self, call: str | Future[Any]) -> Measured:
        """Returns what came of a call; lost, too, where another device can do it instead."""
        try:
            return _outcome(call)
        except DeviceError as error:
            if self._devices == 1:
                raise
            return Measured(seconds=None, error=str(error), lost=True)

    def _run(self, problem: Path, folders: list[Path], turns: int | None) -> Future[Any]:
        names = [str(folder) for folder in folders]
        return self._runners.submit(
            measure_trials,
            self._place,
            str(problem),
            names,
            turns=turns or self._limits.turns,
            cold_bytes=self._limits.cold_bytes,
        )

    def _problem(self, task: TuningTask) -> Path:
        """Returns the folder of a task's problem and its arguments, made when it is new."""
        if id(task) not in self._problems:
            folder = self._new_folder()
            (folder / "problem").write_bytes(pickle.dumps(task.problem))
            call = self._builders.submit(
                make_arguments, str(folder / "problem"), str(folder / ARGUMENTS)
            )
            if error := _error(call):
                raise TuningError(
                    f"{task.layers[0]}: its plainest kernel does not run here: {error}; "
                    "report it with the model, if you may"
                )
            self._problems[id(task)] = folder
        return self._problems[id(task)]

    def _new_folder(self) -> Path:
        self._built += 1
        folder = self._folder / str(self._built)
        folder.mkdir()
        return folder


def _error(call: Future[Any]) -> str:
    """Waits for a call; returns why it failed, or nothing."""
    try:
        call.result()
    except TimeoutError:
        return "took too long"
    except ChildProcessError:
        return "its process died"
    except DeviceError as error:  # as the process wrote it, with where it was raised
        raise DeviceError(last_line(error).partition("DeviceError: ")[2]) from None
    except Exception as error:  # any: what is raised there has any class
        return last_line(error)
    return ""


def _outcome(call: str | Future[Any]) -> Measured:
    error = call if isinstance(call, str) else _error(call)
    if isinstance(call, str) or error:
        return Measured(seconds=None, error=error if isinstance(call, str) else f"run: {error}")
    return call.result()[0]


def _compute_with(threads: int) -> None:
    os.environ[VARIABLE] = str(threads)
