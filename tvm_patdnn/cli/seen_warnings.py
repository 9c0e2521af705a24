"""Logs warnings unless the user asked for quiet, and remembers them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["seen_warnings"]

_OURS = logging.getLogger("tvm_patdnn")


@contextmanager
def seen_warnings(*, quiet: bool) -> Iterator[Sequence[str]]:
    """Gives a list of the warnings that this package logs in the block; of none if ``quiet``."""
    before = logging.root.manager.disable
    memory = _Memory(logging.WARNING)
    logging.disable(max(before, logging.WARNING) if quiet else before)
    _OURS.addHandler(memory)
    try:
        yield memory.texts
    finally:
        _OURS.removeHandler(memory)
        logging.disable(before)


class _Memory(logging.Handler):
    """Keeps the texts; shows them as Python does where nobody has set up logging."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
        if not logging.root.handlers and logging.lastResort is not None:
            logging.lastResort.handle(record)
