"""Gives the loader a name under which it knows nothing yet.

A dynamic linker that has loaded a file under a name gives the same library again for that
name, and for the same file under another name, whatever has been written there since.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tvm_patdnn.errors import LibraryError

__all__ = ["fresh_name"]

_MAPS = Path("/proc/self/maps")

_loaded: dict[tuple[int, int], int] = {}  # the checksum that a file had, by device and inode


@contextmanager
def fresh_name(path: Path, crc32: int) -> Iterator[Path]:
    """Gives a name of the file that ends in ".so": its own, if the loader knows nothing of it.

    Else another one; of a copy, if what was there before may be loaded.

    Args:
        path: a shared library.
        crc32: of what is in it.

    Raises:
        LibraryError: there is no folder for temporary files, or no space for a copy.
    """
    try:
        own = path.resolve()
        facts = own.stat()
        file = (facts.st_dev, facts.st_ino)
        if own.suffix == ".so" and file not in _loaded and not _is_mapped(own):
            _loaded[file] = crc32
            yield own
            return
        import shutil  # here: most libraries are loaded once, and in less time than this takes
        import tempfile

        with tempfile.TemporaryDirectory(prefix="tvm-patdnn-") as folder:
            name = Path(folder) / "model.so"
            if _loaded.setdefault(file, crc32) == crc32:
                name.symlink_to(own)
            else:  # it was written over in place
                shutil.copyfile(own, name)
            yield name
    except OSError as error:
        raise LibraryError(
            f"{path}: cannot be loaded: no temporary file beside it: {error}; set TMPDIR to a "
            "folder with space"
        ) from error


def _is_mapped(path: Path) -> bool:
    """Whether a file of this name is, or was, loaded; True where the system does not tell."""
    try:
        return str(path) in _MAPS.read_text(errors="surrogateescape")
    except OSError:
        return True
