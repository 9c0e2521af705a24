"""Keeps decoded images in the user's cache folder, since decoding takes longer than reading."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tvm_patdnn.errors import BuildError
from tvm_patdnn.whole_file import write_whole

__all__ = ["cache_folder", "cached_images"]

_FORMAT = 1  # raised when the same source is decoded to something else


def cache_folder() -> Path:
    """Returns ``$XDG_CACHE_HOME/tvm-patdnn``, or that in ``~/.cache``; it may not exist."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tvm-patdnn"


def cached_images(source: Path, decode: Callable[[], np.ndarray]) -> np.ndarray:
    """Returns what ``decode`` returns, from the cache where ``source`` is as it was.

    A cache that cannot be written or read is done without.

    Args:
        source: a file; its path, size and time of change say whether it is the same.
        decode: makes (n, c, h, w) uint8.
    """
    path = cache_folder() / f"{_key(source)}.npy"
    try:
        images: np.ndarray = np.load(path, allow_pickle=False)
        return images
    except (OSError, ValueError):
        images = decode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(path) as partial:
            np.save(partial, images)
    except (OSError, BuildError):
        pass  # a home that cannot be written to, or a full disk: decode again next time
    return images


def _key(source: Path) -> str:
    facts = source.stat()
    text = f"{_FORMAT} {source.resolve()} {facts.st_size} {facts.st_mtime_ns}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]
