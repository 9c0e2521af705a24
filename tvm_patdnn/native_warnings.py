"""Keeps TVM's own warnings, which are for its developers, from the user's terminal."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

__all__ = ["release_frames", "without_native_warnings"]

_STDERR = 2  # C++ writes to the descriptor, not to sys.stderr
_WARNING = re.compile(rb"^\[\d\d:\d\d:\d\d\] \S+:\d+: Warning: .*\n?", re.MULTILINE)

_one_at_a_time = threading.RLock()  # what goes in such a block may need it again


@contextmanager
def without_native_warnings() -> Iterator[None]:
    """Drops the lines of TVM's warnings; what else is written to stderr comes at the end."""
    with _one_at_a_time, ExitStack() as stack:
        try:
            said = stack.enter_context(tempfile.TemporaryFile())
            before = os.dup(_STDERR)
        except OSError:  # there is no folder for temporary files, or the process has no stderr
            yield
            return
        os.dup2(said.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(before, _STDERR)
            os.close(before)
            said.seek(0)
            rest = _WARNING.sub(b"", said.read())
            if rest:
                os.write(_STDERR, rest)


def release_frames(error: BaseException | None) -> None:
    """Lets go of what the frames hold that an error came through, and the errors before it.

    TVM warns when a builder of functions goes that was left by an error, which would be at the
    end of the process.
    """
    with without_native_warnings():
        while error is not None:
            traceback.clear_frames(error.__traceback__)
            for frame, _ in traceback.walk_tb(error.__traceback__):
                _ = frame.f_locals  # a copy that was asked for before is brought up to date
            error = error.__cause__ or error.__context__
