"""Spares a command that compiles a model some of the work on memory, a good part of its time."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["keep_freed_memory", "without_collections"]

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # numbers of glibc's malloc.h
_ALL = 2**31 - 1  # bytes
_GROWTH = 2**26  # bytes that are taken of the system at a time


def keep_freed_memory() -> bool:
    """Makes the C library keep what is freed for who asks next.

    Weights are copied several times on their way into a library. Pages that are given back to
    the system after each, and taken anew, cost more than the copies.

    Returns:
        Whether it does: the switches are glibc's.
    """
    change = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if change is None:
        return False
    sizes = {_MMAP_THRESHOLD: 2**30, _TRIM_THRESHOLD: _ALL, _TOP_PAD: _GROWTH}
    done = [change(which, size) for which, size in sizes.items()]
    return all(done)


@contextmanager
def without_collections() -> Iterator[None]:
    """Leaves out the search for garbage, for a block that makes none, such as an import."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
