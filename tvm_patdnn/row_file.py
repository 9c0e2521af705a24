"""Files of rows that several processes may add to at a time: whole lines, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock

__all__ = ["append_lines"]


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Appends lines; what the file has stays. A lock lies beside it, as ``.NAME.lock``.

    Args:
        path: the file, which need not exist.
        lines: without their line breaks.

    Raises:
        OSError: it cannot be written to.
    """
    text = "".join(f"{line}\n" for line in lines)
    path.open("ab").close()  # the lock would make the folder, too
    with FileLock(path.parent / f".{path.name}.lock"), path.open("ab") as file:
        if text and _ends_within_a_line(path):
            text = f"\n{text}"  # its last writer was killed
        file.write(text.encode())


def _ends_within_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - 1, 0))
        return file.read() not in (b"", b"\n")
