"""A progress bar over the epochs of a training run, on stderr."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from tqdm import tqdm

__all__ = ["TrainBar"]


class TrainBar:
    """Shows the images of the epoch at hand, and what the one before measured.

    Nothing is shown where stderr is not a terminal.

    Args:
        images: of an epoch.
        quiet: shows nothing at all.
    """

    def __init__(self, images: int, *, quiet: bool = False) -> None:
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
        self._bar.set_description_str(f"{phase.name} {epoch + 1}/{phase.epochs}")

    def tick(self, images: int) -> None:
        """Moves on."""
        self._bar.update(images)

    def note(self, row: dict[str, Any]) -> None:
        """Shows what an epoch came to."""
        tested = f", test {row['test_top1']:.2f}%" if "test_top1" in row else ""
        self._bar.set_postfix_str(f"loss {row['loss']:.3f}, train {row['train_top1']:.2f}%{tested}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()
