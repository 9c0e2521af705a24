"""Writes files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tvm_patdnn.errors import BuildError

__all__ = ["write_whole"]


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Gives a path to write to, which becomes ``path`` when the block ends without an error.

    Raises:
        BuildError: the folder does not exist or cannot be written to.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise BuildError(
            f"{path}: cannot be written: {error.strerror}; give a path in a folder that exists "
            "and that you may write to"
        ) from error
    with folder as name:
        partial = Path(name) / path.name
        yield partial
        try:
            os.replace(partial, path)
        except OSError as error:
            raise BuildError(f"{path}: cannot be written: {error.strerror}") from error
