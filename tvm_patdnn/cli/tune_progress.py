"""Progress of tuning on stderr: a bar on a terminal, else a line for each task."""

from __future__ import annotations

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


class TuneProgress:
    """A context whose methods are what ``tune`` calls.

    Args:
        trials: how many there will be at most.
        quiet: shows nothing at all.
    """

    def __init__(self, trials: int, *, quiet: bool = False) -> None:
        self._quiet, self._begun = quiet, time.monotonic()
        self._bar = tqdm(
            total=trials,
            file=sys.stderr,
            disable=True if quiet else None,  # None: unless it is a terminal
            bar_format="{bar:24} {n_fmt}/{total_fmt} trials [{elapsed}<{remaining}] {desc}",
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
        if not self._quiet and not sys.stderr.isatty():
            print(f"tvm-patdnn: {name}", file=sys.stderr, flush=True)

    def trials(self, done: int, task: TuningTask) -> None:
        """Shows how many trials are done, and of which layer the last were."""
        self._bar.set_description_str(task.layers[0])
        self._bar.update(done - self._bar.n)

    def finished(self, tuned: TunedTask) -> None:
        """Says what became of a task."""
        if self._quiet:
            return
        before, after = 1e3 * tuned.default_s, 1e3 * tuned.best_s
        text = (
            f"{layer_names(tuned.task.layers)}: {tuned.trials} trials, {before:.3f} ms before, "
            f"{after:.3f} ms after: {tuned.winner}"
        )
        tqdm.write(f"tvm-patdnn: {text}", file=sys.stderr)
