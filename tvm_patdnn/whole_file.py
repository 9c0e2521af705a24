"""Writes files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tvm_patdnn.errors import BuildError

__all__ = ["check_writable", "write_whole"]


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Gives a path to write to, which becomes ``path`` when the block ends without an error.

    Raises:
        BuildError: ``path`` is a directory, or its folder cannot be written to.
    """
    with _folder_beside(path) as name:
        partial = Path(name) / path.name
        yield partial
        try:
            os.replace(partial, path)
        except OSError as error:
            raise BuildError(f"{path}: cannot be written: {error.strerror}") from error


def check_writable(path: Path) -> None:
    """Checks, before long work, that ``write_whole`` can write there.

    Raises:
        BuildError: as ``write_whole``.
    """
    _folder_beside(path).cleanup()


def _folder_beside(path: Path) -> tempfile.TemporaryDirectory[str]:
    if path.is_dir():
        raise BuildError(f"{path}: cannot be written: it is a directory; give the path of a file")
    try:
        return tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise BuildError(
            f"{path}: cannot be written: {error.strerror}; give a path in a folder that exists "
            "and that you may write to"
        ) from error
