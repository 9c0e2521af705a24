"""Keeps PyTorch out of a command that has no use for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_torch"]


@contextmanager
def without_torch() -> Iterator[None]:
    """Lets TVM be imported as if there were no torch.

    TVM imports it where it is installed, which takes more than a second, to take its tensors;
    it is handed none here. An entry of None makes an import fail.
    """
    if "torch" in sys.modules:
        yield
        return
    sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["torch"]
