"""Writes a model that needs no TVM: a library and its header, or a folder of C files."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tvm.target import Target

from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.cross_compile import Linker, c_compiler, describe_c_compilers
from tvm_patdnn.standalone.link import link_archive, link_object, link_shared
from tvm_patdnn.standalone.source_model import SourceModel
from tvm_patdnn.standalone.write_folder import write_folder
from tvm_patdnn.whole_file import check_writable, write_whole

__all__ = ["check_standalone_path", "export_standalone"]

_LINKS: dict[str, Callable[[Linker, Path, str, Path], None]] = {
    ".so": link_shared,
    ".a": link_archive,
    ".o": link_object,
}
_OURS = "a neural network, compiled by tvm-patdnn"  # in the first line of our headers


def export_standalone(
    model: SourceModel,
    path: Path,
    name: str,
    *,
    header: bool = True,
    report: bool = True,
) -> None:
    """Writes ``path``, whole or not at all; see ``Library.export_standalone``."""
    check_standalone_path(path, name, model.target, header=header)
    try:
        with tempfile.TemporaryDirectory(prefix="tvm-patdnn-") as temporary:
            folder = Path(temporary)
            write_folder(model, folder, name, report=report)
            if path.suffix:
                _place_library(folder, path, name, model.target, header=header)
            else:
                _place_folder(folder, path)
    except OSError as error:
        raise BuildError(f"{path}: cannot be written: {error}") from error


def check_standalone_path(path: Path, name: str, target: Target, *, header: bool = True) -> None:
    """Checks, before long work, that ``export_standalone`` can write there.

    Raises:
        BuildError: it cannot; the message says what to do.
    """
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name) is None:
        raise BuildError(
            f"name='{name}': is the prefix of C functions; give letters, digits and underscores, "
            "at most 64"
        )
    if not path.suffix:
        _check_folder(path)
        return
    if path.suffix not in _LINKS:
        raise BuildError(
            f"{path}: a standalone model is a shared library (.so), a static one (.a), an object "
            f"file (.o) or a folder (no suffix), not '{path.suffix}'"
        )
    check_writable(path)
    beside = path.with_name(f"{name}.h")
    if header and beside.exists() and not _is_ours(beside):
        raise BuildError(
            f"{beside}: is in the way of the header; move it, or choose another name for the model"
        )
    _compiler(target)


def _compiler(target: Target) -> Linker:
    compiler = c_compiler(target)
    if compiler is None:
        raise BuildError(
            f"standalone: {describe_c_compilers(target)}; or write a folder (a path without a "
            "suffix), which needs no compiler here"
        )
    return compiler


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
    names = {"CMakeLists.txt", "kernels.o", "runtime.c", "weights.bin"}
    return entry.name in names or (
        entry.suffix in (".h", ".c") and _is_ours(entry.with_suffix(".h"))
    )


def _is_ours(header: Path) -> bool:
    try:
        with header.open(errors="replace") as file:
            return _OURS in file.readline()
    except OSError:
        return False


def _place_library(folder: Path, path: Path, name: str, target: Target, *, header: bool) -> None:
    with write_whole(path) as partial:
        _LINKS[path.suffix](_compiler(target), folder, name, partial)
    if header:
        with write_whole(path.with_name(f"{name}.h")) as partial:
            shutil.copyfile(folder / f"{name}.h", partial)


def _place_folder(made: Path, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as beside:
        new = Path(beside) / "new"
        new.mkdir()
        for file in made.iterdir():
            shutil.copyfile(file, new / file.name)
        if path.exists():
            os.replace(path, Path(beside) / "old")
        os.replace(new, path)
