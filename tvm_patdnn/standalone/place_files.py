"""Puts what was made where it was asked for, and never over a file that is not ours."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tvm_patdnn.errors import BuildError
from tvm_patdnn.whole_file import check_writable, write_whole

__all__ = ["check_place", "place_folder", "place_header"]

_OURS = "a neural network, compiled by tvm-patdnn"  # in the first line of our headers


def check_place(path: Path, name: str, *, header: bool) -> None:
    """Checks that a library, or a folder (no suffix), can be written there.

    Args:
        name: of the model, and of the header beside the library.
        header: whether there will be one.

    Raises:
        BuildError: it cannot; the message says what to do.
    """
    if not path.suffix:
        _check_folder(path)
        return
    check_writable(path)
    beside = path.with_name(f"{name}.h")
    if header and beside.exists() and not _is_ours(beside):
        raise BuildError(
            f"{beside}: is in the way of the header; move it, or choose another name for the model"
        )


def place_header(made: Path, path: Path) -> None:
    """Copies the header ``made`` to where it lies beside the library ``path``."""
    with write_whole(path.with_name(made.name)) as partial:
        shutil.copyfile(made, partial)


def place_folder(made: Path, path: Path) -> None:
    """Copies the files of ``made`` to a folder ``path``, in the place of one that is there."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as beside:
        new = Path(beside) / "new"
        new.mkdir()
        for file in made.iterdir():
            shutil.copyfile(file, new / file.name)
        if path.exists():
            os.replace(path, Path(beside) / "old")
        os.replace(new, path)


def _check_folder(path: Path) -> None:
    if path.is_dir():
        strange = [entry.name for entry in path.iterdir() if not _may_replace(entry)]
        if strange:
            raise BuildError(
                f"{path}: is a folder with other files ({', '.join(sorted(strange)[:3])}); give "
                "the path of a new folder"
            )
    elif path.exists():
        raise BuildError(f"{path}: is a file; give the path of a folder, or of a .so, .a or .o")
    else:
        check_writable(path)


def _may_replace(entry: Path) -> bool:
    names = {"CMakeLists.txt", "runtime.c", "weights.bin"}
    return (
        entry.name in names
        or (entry.suffix == ".o" and entry.name.startswith("kernels"))
        or (entry.suffix in (".h", ".c") and _is_ours(entry.with_suffix(".h")))
    )


def _is_ours(header: Path) -> bool:
    try:
        with header.open(errors="replace") as file:
            return _OURS in file.readline()
    except OSError:
        return False
