"""Writes a model that needs no TVM: a library and its header, or a folder of C files."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from tvm.target import Target

from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.cross_compile import Linker, c_compiler, describe_c_compilers
from tvm_patdnn.machine.targets import is_gpu
from tvm_patdnn.standalone.link import link_archive, link_object, link_shared
from tvm_patdnn.standalone.place_files import check_place, place_folder, place_header
from tvm_patdnn.standalone.source_model import SourceModel
from tvm_patdnn.standalone.write_folder import write_folder
from tvm_patdnn.whole_file import write_whole

__all__ = ["check_standalone_path", "export_standalone"]

_LINKS: dict[str, Callable[[Linker, Path, str, Path], None]] = {
    ".so": link_shared,
    ".a": link_archive,
    ".o": link_object,
}


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
                place_folder(folder, path)
    except OSError as error:
        raise BuildError(f"{path}: cannot be written: {error}") from error


def check_standalone_path(path: Path, name: str, target: Target, *, header: bool = True) -> None:
    """Checks, before long work, that ``export_standalone`` can write there.

    Raises:
        BuildError: it cannot; the message says what to do.
    """
    if is_gpu(target) and target.kind.name != "opencl":
        raise BuildError(
            f"standalone: a GPU is reached by OpenCL, not by {target.kind.name}; build for "
            "'opencl', or write the kind that needs TVM: export_library, --kind vm"
        )
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name) is None:
        raise BuildError(
            f"name='{name}': is the prefix of C functions; give letters, digits and underscores, "
            "at most 64"
        )
    if path.suffix and path.suffix not in _LINKS:
        raise BuildError(
            f"{path}: a standalone model is a shared library (.so), a static one (.a), an object "
            f"file (.o) or a folder (no suffix), not '{path.suffix}'"
        )
    check_place(path, name, header=header)
    if path.suffix:
        _compiler(target)


def _compiler(target: Target) -> Linker:
    compiler = c_compiler(target)
    if compiler is None:
        raise BuildError(
            f"standalone: {describe_c_compilers(target)}; or write a folder (a path without a "
            "suffix), which needs no compiler here"
        )
    return compiler


def _place_library(folder: Path, path: Path, name: str, target: Target, *, header: bool) -> None:
    with write_whole(path) as partial:
        _LINKS[path.suffix](_compiler(target), folder, name, partial)
    if header:
        place_header(folder / f"{name}.h", path)
