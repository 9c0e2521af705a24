"""The command as it was typed, to be stored with results and to be typed again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

__all__ = ["resuming", "stored"]

_PROGRAM = "tvm-patdnn"


def stored(words: Sequence[str]) -> str:
    """Returns the command without the folders of files.

    Args:
        words: after the program's name.
    """
    return shlex.join([_PROGRAM, *(Path(w).name if "/" in w else w for w in words)])


def resuming(words: Sequence[str]) -> str:
    """Returns the command that goes on where this one was interrupted."""
    kept = [w for w in words if not (w.startswith("--ov") and "--overwrite".startswith(w))]
    return shlex.join([_PROGRAM, *kept, *([] if "--resume" in kept else ["--resume"])])
