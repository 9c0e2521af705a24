"""Progress of tuning on stderr: a bar on a terminal, else a line now and then and for each task."""

from __future__ import annotations

import math
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from tqdm import tqdm

from tvm_patdnn.cli.layer_names import layer_names

if TYPE_CHECKING:
    from tvm_patdnn.tuning.problem import TuningTask
    from tvm_patdnn.tuning.tuner import TunedTask

__all__ = ["TuneProgress"]

_LINE_S = 60.0


class TuneProgress:
    """A context whose methods are what ``tune`` calls.

    Args:
        trials: how many there will be at most.
        quiet: shows nothing at all.
    """

    def __init__(self, trials: int, *, quiet: bool = False) -> None:
        self._quiet, self._lines = quiet, not (quiet or sys.stderr.isatty())
        self._all, self._first = trials, 0
        self._begun = self._told = time.monotonic()
        self._bar = tqdm(
            total=trials,
            file=sys.stderr,
            disable=True if quiet else None,  # None: unless it is a terminal
            unit=" trials",
            bar_format="{bar:24} {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}] {desc}",
            leave=False,
        )

    def __enter__(self) -> TuneProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def phase(self, name: str) -> None:
        """Shows that a phase begins."""
        self._bar.set_description_str(name)
        if self._lines:
            print(f"tvm-patdnn: {name}", file=sys.stderr, flush=True)

    def trials(self, done: int, task: TuningTask, best_s: float) -> None:
        """Shows how many trials are done, and the best so far of the layer that the last was of."""
        best = f", best {1e3 * best_s:.3f} ms" if best_s < math.inf else ""
        if not self._first:  # others are of earlier runs
            self._first, self._begun = done, time.monotonic()
            self._bar.initial = self._bar.n = done
            self._bar.unpause()
            self._bar.refresh()
        self._bar.set_description_str(f"{task.layers[0]}{best}", refresh=False)
        self._bar.update(done - self._bar.n)
        if self._lines and time.monotonic() - self._told >= _LINE_S:
            self._told = time.monotonic()
            line = f"{done} of {self._all} trials{self._pace(done)}: {task.layers[0]}{best}"
            print(f"tvm-patdnn: {line}", file=sys.stderr, flush=True)

    def _pace(self, done: int) -> str:
        new = done - self._first
        if not new:
            return ""
        each = (time.monotonic() - self._begun) / new
        left = (self._all - done) * each
        return f", {1 / each:.2g} a second, at most {left / 60:.1f} min left"

    def finished(self, tuned: TunedTask) -> None:
        """Says what became of a task."""
        if self._quiet:
            return
        text = f"{layer_names(tuned.task.layers)}: {tuned.trials} trials, {_outcome(tuned)}"
        tqdm.write(f"tvm-patdnn: {text}", file=sys.stderr)


def _outcome(tuned: TunedTask) -> str:
    if math.isinf(tuned.best_s):
        return "none of which ran: the log says why"
    before, after = 1e3 * tuned.default_s, 1e3 * tuned.best_s
    return f"{before:.3f} ms before, {after:.3f} ms after: {tuned.winner}"
