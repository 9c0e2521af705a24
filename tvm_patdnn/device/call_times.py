"""Times the calls that TVM's virtual machine makes; it needs nothing but the machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

__all__ = ["call_times"]


def call_times(
    set_instrument: Callable[[Any], Any], run: Callable[[], Any]
) -> list[tuple[str, float]]:
    """Returns the name and the seconds of each call that a virtual machine makes in ``run``.

    Args:
        set_instrument: the machine's.
    """
    spent: list[tuple[str, float]] = []
    begun = 0.0

    def instrument(func: Any, name: str, before: bool, result: Any, *args: Any) -> None:
        nonlocal begun
        if before:
            begun = time.perf_counter()
        else:
            spent.append((str(name), time.perf_counter() - begun))

    set_instrument(instrument)
    try:
        run()
    finally:
        set_instrument(lambda *args: None)
    return spent
