"""Says what is being waited for, if the wait is long."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["said_if_slow"]

_LOG = logging.getLogger(__name__)
_LONG = 2.0  # seconds


@contextmanager
def said_if_slow(text: str, seconds: float = _LONG) -> Iterator[None]:
    """Logs ``text`` as a warning, which is shown by default, if the block takes longer."""
    timer = threading.Timer(seconds, _LOG.warning, ["%s", text])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # nothing is said once the block is left
