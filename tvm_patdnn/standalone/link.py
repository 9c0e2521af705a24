"""Makes a library out of a folder of C files, with a C compiler for the target."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import tvm_ffi.libinfo

from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.cross_compile import Linker
from tvm_patdnn.library.seal import STANDALONE, seal
from tvm_patdnn.machine.triples import operating_system
from tvm_patdnn.standalone.write_folder import WEIGHTS, kernel_objects

__all__ = ["link_archive", "link_object", "link_shared", "link_trial"]

_COMPILE = ("-std=c11", "-O2", "-fPIC", "-fvisibility=hidden")
_LIBRARIES = ("-lm", "-lpthread", "-ldl")
_OUTPUT_SHOWN = 2000  # characters of a compiler's complaint


def link_shared(compiler: Linker, folder: Path, name: str, path: Path) -> None:
    """Makes a shared library with no symbols but the interface's, and seals it.

    Raises:
        BuildError: the compiler fails; or the target is no Linux or Android.
    """
    if operating_system(compiler.triple) not in ("linux", "android"):
        raise BuildError(
            f"standalone: a shared library for '{compiler.triple}' is not supported; write a "
            "folder (a path without a suffix) and build it with that system's own compiler"
        )
    (folder / "exports").write_text(f"{{ global: {name}_*; local: *; }};\n")
    link = ["-shared", "-s", "-Wl,--version-script=exports", "-Wl,-z,noexecstack"]
    if operating_system(compiler.triple) == "android":
        link.append("-Wl,-z,max-page-size=16384")
    source = ["-x", "c", f"{name}.c", "-x", "none", *kernel_objects(folder)]
    line = [*compiler.command, *_COMPILE, *link, *source, *_LIBRARIES]
    _run([*line, "-o", str(path.resolve())], compiler.triple, folder)
    seal(path, STANDALONE, name, folder / WEIGHTS)


def link_trial(compiler: Linker, folder: Path, source: str, path: Path) -> None:
    """Makes a shared library that TVM loads of a file of C that includes a model's.

    Raises:
        BuildError: the compiler fails.
    """
    headers = [f"-I{place}" for place in tvm_ffi.libinfo.include_paths()]
    line = [*compiler.command, *_COMPILE, *headers, "-shared", "-x", "c", source, *_LIBRARIES]
    _run([*line, "-o", str(path.resolve())], compiler.triple, folder)


def link_object(compiler: Linker, folder: Path, name: str, path: Path) -> None:
    """Makes one object file; what it is linked into needs -lm, -lpthread and, for a GPU, -ldl.

    Raises:
        BuildError: the compiler fails.
    """
    source = ["-x", "c", "-c", f"{name}.c"]
    _run([*compiler.command, *_COMPILE, *source, "-o", "model_c.o"], compiler.triple, folder)
    line = [*compiler.command, "-r", "-nostdlib", "-Wl,-S", "model_c.o", *kernel_objects(folder)]
    _run([*line, "-o", str(path.resolve())], compiler.triple, folder)


def link_archive(compiler: Linker, folder: Path, name: str, path: Path) -> None:
    """Makes a static library of that object file.

    Raises:
        BuildError: the compiler fails, or there is no ``ar`` beside it.
    """
    link_object(compiler, folder, name, folder / f"{name}.o")
    line = [*_archiver(compiler), "rcs", str(path.resolve()), f"{name}.o"]
    _run(line, compiler.triple, folder)


def _archiver(compiler: Linker) -> Sequence[str]:
    if compiler.command[:3] == (sys.executable, "-m", "ziglang"):
        return [sys.executable, "-m", "ziglang", "ar"]
    asked = [*compiler.command, "-print-prog-name=ar"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    found = shutil.which(done.stdout.strip() or "ar")
    if found is None:
        raise BuildError(
            f"standalone: found no archiver (ar) for '{compiler.triple}'; write an object file "
            "(a path that ends in .o), or install binutils"
        )
    return [found]


def _run(line: Sequence[str], triple: str, folder: Path) -> None:
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=folder)
    except OSError as error:
        raise BuildError(f"compiling for '{triple}': cannot start {line[0]}: {error}") from None
    if done.returncode != 0:
        said = (done.stderr + done.stdout).strip()[-_OUTPUT_SHOWN:]
        raise BuildError(
            f"compiling for '{triple}': exit status {done.returncode} of `{' '.join(line)}`; "
            f"it said: {said}"
        )
