"""Ctrl-C and SIGTERM end a command in the same way: cleaning up, and always."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["signals_remembered"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_remembered() -> Iterator[list[int]]:
    """Lets both signals raise KeyboardInterrupt in the block.

    Yields:
        The signals that came, as somebody between may have swallowed what they raised.
    """
    came: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # signals are not for others
        yield came
        return
    wanted = [each for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
