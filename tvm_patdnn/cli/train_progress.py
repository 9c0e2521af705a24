"""The progress of a training run on stderr: a bar on a terminal, else a line per epoch."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from tqdm import tqdm

__all__ = ["TrainBar", "say"]


def say(text: str, *, quiet: bool = False) -> None:
    """Writes a line on stderr."""
    if not quiet:
        tqdm.write(f"tvm-patdnn: {text}", file=sys.stderr)
        sys.stderr.flush()


class TrainBar:
    """Shows the images of the epoch at hand, and what the one before measured.

    Where stderr is not a terminal each epoch is a line when it ends.

    Args:
        images: of an epoch.
        quiet: shows nothing at all.
    """

    def __init__(self, images: int, *, quiet: bool = False) -> None:
        self._lines = not quiet and not sys.stderr.isatty()
        self._title = ""
        self._bar = tqdm(
            total=images,
            file=sys.stderr,
            disable=True if quiet else None,  # None: unless it is a terminal
            unit=" images",
            leave=False,
        )

    def __enter__(self) -> TrainBar:
        return self

    def begin(self, phase: Any, epoch: int) -> None:
        """Starts the bar again for an epoch."""
        self._bar.reset()
        self._title = f"{phase.name} {epoch + 1}/{phase.epochs}"
        self._bar.set_description_str(self._title)

    def tick(self, images: int) -> None:
        """Moves on."""
        self._bar.update(images)

    def note(self, row: dict[str, Any]) -> None:
        """Shows what an epoch came to."""
        tested = f", test {row['test_top1']:.2f}%" if "test_top1" in row else ""
        found = f"loss {row['loss']:.3f}, train {row['train_top1']:.2f}%{tested}"
        self._bar.set_postfix_str(found)
        if self._lines:
            print(f"{self._title}: {found}", file=sys.stderr, flush=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()
