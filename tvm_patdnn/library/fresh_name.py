"""Gives the loader a name under which it knows nothing yet.

A dynamic linker that has loaded a file under a name gives the same library again for that
name, and for the same file under another name, whatever has been written there since.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tvm_patdnn.errors import LibraryError

__all__ = ["fresh_name"]

_loaded: dict[tuple[int, int], int] = {}  # the checksum that a file had, by device and inode


@contextmanager
def fresh_name(path: Path, crc32: int) -> Iterator[Path]:
    """Gives another name of the file; of a copy, if what was there before may be loaded.

    Args:
        path: a shared library.
        crc32: of what is in it.

    Raises:
        LibraryError: there is no folder for temporary files, or no space for a copy.
    """
    facts = path.stat()
    file = (facts.st_dev, facts.st_ino)
    try:
        with tempfile.TemporaryDirectory(prefix="tvm-patdnn-") as folder:
            name = Path(folder) / "model.so"
            if _loaded.setdefault(file, crc32) == crc32:
                name.symlink_to(path.resolve())
            else:  # it was written over in place
                shutil.copyfile(path, name)
            yield name
    except OSError as error:
        raise LibraryError(
            f"{path}: cannot be loaded: no temporary file beside it: {error}; set TMPDIR to a "
            "folder with space"
        ) from error
