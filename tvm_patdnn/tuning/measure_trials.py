"""What processes that measure kernels do, on this machine or on a device that they ask.

Kernels of one call take turns, so that what disturbs the machine for a while disturbs all. What
a kernel reads is no nearer than it is in the network: the second cache is emptied before each run.
Threads that were just started may share a core for a while, so a call begins with runs that do not
count.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.error_lines import last_line
from tvm_patdnn.tuning.build_trials import ARGUMENTS, CONSTANTS, LIBRARY
from tvm_patdnn.tuning.places import Place

__all__ = ["Measured", "measure_trials"]

_TOLERANCE = 1e-3  # of the largest value: of bytes, none may differ
_WARM_S = 0.1  # in which threads that wait for work find a core each
_HOPELESS = 3.0  # times the fastest of a call: not worth more than one turn


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One kernel.

    Attributes:
        seconds: the best of its turns; None where it failed.
        lost: it failed as the device went away or fell silent, for which it may not be to blame.
    """

    seconds: float | None
    error: str = ""
    lost: bool = False


def measure_trials(
    place: Place, arguments: str, folders: Sequence[str], *, turns: int, cold_bytes: int
) -> list[Measured]:
    """Measures kernels in turns.

    Args:
        place: where they run.
        arguments: the folder in which ``make_arguments`` wrote.
        folders: in which ``build_trial`` wrote.
        turns: that each kernel gets, unless it is hopeless.
        cold_bytes: that are written before each run, to empty caches.
    """
    place.is_alive()  # if not, this call begins anew
    given = _Given.read(Path(arguments) / ARGUMENTS, place)
    trials = [_Trial.loaded(place, given, Path(folder), cold_bytes) for folder in folders]
    _warm_up(trials)
    for _ in range(turns):
        fastest = min((trial.best for trial in trials), default=np.inf)
        for trial in trials:
            if not trial.times or trial.best <= _HOPELESS * fastest:
                trial.run()
    found = [trial.measured for trial in trials]
    if any(each.error for each in found) and not place.is_alive():
        return [replace(each, lost=bool(each.error)) for each in found]
    return found


def _warm_up(trials: Sequence[_Trial]) -> None:
    """Runs the first kernel that can be run, for a while."""
    end = time.monotonic() + _WARM_S
    for trial in trials:
        while trial.runs and time.monotonic() < end:
            trial.run()
        trial.times.clear()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Given:
    """What all kernels of a problem are called with."""

    inputs: list[Any]
    operands: list[Any]
    output: Any
    expected: np.ndarray

    @classmethod
    def read(cls, file: Path, place: Place) -> _Given:
        stored = np.load(file)

        def sent(kind: str) -> list[Any]:
            names = [name for name in stored.files if name.startswith(kind)]
            return [place.tensor(stored[name]) for name in names]

        expected = stored["expected"]
        return cls(
            inputs=sent("input"),
            operands=sent("operand"),
            output=place.tensor(np.zeros(stored["out_shape"], expected.dtype)),
            expected=expected,
        )

    def check(self) -> str:
        """Returns what is wrong with the output; nothing where it is right."""
        expected = self.expected.astype(np.float32)
        found = self.output.numpy()[..., : expected.shape[-1]].astype(np.float32)
        most = float(np.abs(expected).max(initial=0.0))
        apart = float(np.abs(found - expected).max(initial=0.0))
        if apart <= _TOLERANCE * most:
            return ""
        return f"wrong result: differs by {apart:.2g}, where values are up to {most:.2g}"


class _Trial:
    """A kernel that was loaded, or failed."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._error = ""
        self._timer: Any = None
        self._args: list[Any] = []

    @classmethod
    def loaded(cls, place: Place, given: _Given, folder: Path, cold_bytes: int) -> _Trial:
        trial = cls()
        try:
            module = place.load(folder / LIBRARY)
            stored = np.load(folder / CONSTANTS)
            constants = [place.tensor(stored[name]) for name in stored.files]
            trial._args = [*given.inputs, *constants, *given.operands, given.output]
            module["main"](*trial._args)
            trial._error = given.check()
            trial._timer = module.time_evaluator(
                "main", place.device, number=1, repeat=1, cache_flush_bytes=cold_bytes
            )
        except Exception as error:  # any: what is raised on a device has any class
            trial._fail(error)
        return trial

    @property
    def best(self) -> float:
        return min(self.times, default=np.inf)

    @property
    def measured(self) -> Measured:
        if self._error or not self.times:
            return Measured(seconds=None, error=self._error or "was not run")
        return Measured(seconds=self.best)

    @property
    def runs(self) -> bool:
        return not self._error

    def run(self) -> None:
        if self._error:
            return
        try:
            self.times += self._timer(*self._args).results
        except Exception as error:  # any, as above
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._error = last_line(error) or type(error).__name__
