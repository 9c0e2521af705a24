"""A progress bar over the phases of a command, on stderr."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

try:
    from tqdm import tqdm
except ImportError:  # where libraries only run, without what builds them
    tqdm = None

__all__ = ["BUILD_PHASES", "INSPECT_PHASES", "PhaseBar"]

INSPECT_PHASES = 2  # of ``inspection.inspect``
BUILD_PHASES = 5  # of ``builder.build``


class PhaseBar:
    """Call it with the name of each phase as it begins.

    Args:
        phases: how many there will be.
        quiet: shows nothing at all.
        lines: where stderr is not a terminal, each phase is a line; else nothing is shown there.
    """

    def __init__(self, phases: int, *, quiet: bool = False, lines: bool = False) -> None:
        self._bar: Any = (
            _Nothing()
            if tqdm is None
            else tqdm(
                total=phases,
                file=sys.stderr,
                disable=True if quiet else None,  # None: unless it is a terminal
                bar_format="{bar:24} {n_fmt}/{total_fmt} [{elapsed}] {desc}",
                leave=False,
            )
        )
        self._begun = 0
        self._lines = lines and not quiet and not sys.stderr.isatty()

    def __enter__(self) -> PhaseBar:
        return self

    def __call__(self, phase: str) -> None:
        """Shows that ``phase`` begins, and the one before is done."""
        if self._lines:
            print(f"tvm-patdnn: {phase}", file=sys.stderr, flush=True)
        self._bar.set_description_str(phase, refresh=False)
        self._bar.update(min(self._begun, 1))
        self._bar.refresh()
        self._begun += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()


class _Nothing:
    """Stands for a bar."""

    def set_description_str(self, *_: object, **__: object) -> None: ...
    def update(self, *_: object) -> None: ...
    def refresh(self) -> None: ...
    def close(self) -> None: ...
