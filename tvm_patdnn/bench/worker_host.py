"""What a worker asks of the operating system."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TextIO

__all__ = ["die_with_parent", "peak_rss", "take_stdout"]

_DIE_WITH_PARENT = 1  # Linux: PR_SET_PDEATHSIG
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


def take_stdout() -> TextIO:
    """Keeps stdout for replies; what libraries print goes to stderr."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def die_with_parent() -> None:
    """Lets Linux end this process if its parent is killed, even while it is paused."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, int(signal.SIGKILL))


def peak_rss() -> int:
    """Returns bytes; Linux's getrusage would count the process that started this one too."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
