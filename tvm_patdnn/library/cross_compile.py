"""Finds a linker that makes shared libraries for a target, from what the machine has.

TVM compiles to object files for every target; only the link needs a tool of the target.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tvm.support import cc
from tvm.target import Target

from tvm_patdnn.errors import BuildError
from tvm_patdnn.machine.host_cpu import host_triple
from tvm_patdnn.machine.targets import host_of
from tvm_patdnn.machine.triples import architecture, is_host_platform, operating_system

__all__ = ["Linker", "c_compiler", "describe_c_compilers", "export_compiler"]

_LOG = logging.getLogger(__name__)

_SHARED = ("-shared", "-fPIC")
_DARWIN = ("-undefined", "dynamic_lookup")  # TVM's symbols come from the process that loads it
_OLDEST_GLIBC = "2.28"  # that of Debian 10 and Raspberry Pi OS 10, so that boards can load it
_OUTPUT_SHOWN = 2000  # characters of a linker's complaint


@dataclass(frozen=True, kw_only=True)
class Linker:
    """A command that links object files; pass it to ``export_library(fcompile=...)``.

    Attributes:
        command: the words before ``-o``.
        triple: what it links for.
    """

    command: tuple[str, ...]
    triple: str

    def __call__(self, output: str, objects: Sequence[str], options: Sequence[str] = ()) -> None:
        """Links ``objects`` into ``output``.

        Raises:
            BuildError: the command cannot be started or fails; its output is shown.
        """
        line = [*self.command, "-o", str(output), *objects, *(options or ())]
        here = {**os.environ, "TMPDIR": str(Path(output).parent)}  # one disk that can be full
        try:
            done = subprocess.run(line, capture_output=True, text=True, check=False, env=here)
        except OSError as error:
            raise BuildError(
                f"linking for '{self.triple}': cannot start {line[0]}: {error}"
            ) from None
        if done.returncode != 0:
            said = (done.stderr + done.stdout).strip()[-_OUTPUT_SHOWN:]
            raise BuildError(
                f"linking for '{self.triple}': exit status {done.returncode} of "
                f"`{' '.join(line)}`; it said: {said}"
            )

    def get_target_triple(self) -> str:
        """Tells TVM what to compile the packed constants for."""
        return self.triple


def export_compiler(target: Target) -> Linker:
    """Chooses the linker for a target; for a GPU target, for its host.

    Raises:
        BuildError: the machine has none that can; the message says what to install.
    """
    triple = _triple(target)
    command = next(_commands(triple), None)
    if command is None:
        raise BuildError(_missing(triple))
    _LOG.info("linking with %s", " ".join(command))
    return Linker(command=command, triple=triple)


def c_compiler(target: Target) -> Linker | None:
    """Chooses a C compiler for a target, or its host, among the same tools; None: there is none."""
    triple = _triple(target)
    for compiler in _compilers(triple):
        if shutil.which(compiler):
            return Linker(command=(compiler,), triple=triple)
    zig = _zig_target(triple)
    if zig is None or "android" in zig or importlib.util.find_spec("ziglang") is None:
        return None  # zig has no C library for Android
    return Linker(command=(sys.executable, "-m", "ziglang", "cc", "-target", zig), triple=triple)


def describe_c_compilers(target: Target) -> str:
    """Says which C compilers ``c_compiler`` looked for, and how to get one."""
    return _missing(_triple(target))


def _triple(target: Target) -> str:
    """Returns the triple of a CPU target, or of a GPU's host."""
    return str(host_of(target).attrs.get("mtriple", host_triple()))


def _commands(triple: str) -> Iterator[tuple[str, ...]]:
    """Yields the usable commands, best first."""
    for compiler in _compilers(triple):
        if shutil.which(compiler):
            yield (compiler, *_shared(triple))
    for linker in _bare_linkers(triple):
        if shutil.which(linker):
            yield (linker, "-shared")
    if _zig_target(triple) and importlib.util.find_spec("ziglang") is not None:
        yield (sys.executable, "-m", "ziglang", "cc", *_zig_options(triple))


def _shared(triple: str) -> tuple[str, ...]:
    return (*_SHARED, *_DARWIN) if operating_system(triple) == "darwin" else _SHARED


def _compilers(triple: str) -> list[str]:
    if operating_system(triple) == "android":
        return [word for word in [os.environ.get("TVM_NDK_CC")] if word]
    cross = [f"{_gnu_triple(triple)}-{tool}" for tool in ("g++", "gcc", "clang")]
    native = cc.get_cc() if is_host_platform(triple) else None
    return [native, *cross] if native else cross


def _bare_linkers(triple: str) -> list[str]:
    """Linkers without a compiler: enough, as TVM's objects need no start-up code."""
    if operating_system(triple) not in ("linux", "android"):
        return []
    return [f"{_gnu_triple(triple)}-ld", "ld.lld"]


def _gnu_triple(triple: str) -> str:
    """Returns the triple as Debian's cross tools are named, without a vendor."""
    parts = triple.split("-")
    return "-".join([architecture(triple), *(parts[2:] if len(parts) > 3 else parts[1:])])


def _zig_target(triple: str) -> str | None:
    system = operating_system(triple)
    arch = {"i386": "x86"}.get(architecture(triple), architecture(triple))
    if system == "darwin":
        return f"{arch}-macos"
    if system == "android":
        return f"{arch}-linux-android"
    abi = triple.rsplit("-", 1)[-1]
    if system != "linux" or not abi.startswith(("gnu", "musl")):
        return None
    return f"{arch}-linux-{abi}" + (f".{_OLDEST_GLIBC}" if abi.startswith("gnu") else "")


def _zig_options(triple: str) -> tuple[str, ...]:
    options = ("-target", str(_zig_target(triple)), *_shared(triple))
    # Zig builds its C library at first use (a minute, once); it has none for Android.
    return (*options, "-nostdlib") if operating_system(triple) == "android" else options


def _missing(triple: str) -> str:
    tried = [*_compilers(triple), *_bare_linkers(triple)]
    zig = "`pip install ziglang`"
    advice = {
        "linux": f"`apt-get install {_apt_package(triple)}` (Debian, Ubuntu), or {zig} (anywhere)",
        "android": f"set TVM_NDK_CC to the NDK's clang, or {zig}",
        "darwin": zig,
    }.get(operating_system(triple), f"put a {_gnu_triple(triple)}-g++ on the PATH")
    return (
        f"linking for '{triple}': found none of {', '.join(tried)}, nor the Python package "
        f"ziglang; to get one: {advice}"
    )


def _apt_package(triple: str) -> str:
    if is_host_platform(triple):
        return "g++"
    return f"g++-{_gnu_triple(triple)}".replace("_", "-")
