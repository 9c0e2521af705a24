"""Reads from a shared library which machine it is for, before the loader says less."""

from __future__ import annotations

import platform
from pathlib import Path

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.machine.triples import architecture, operating_system

__all__ = ["built_for", "check_loads_here", "host_platform"]

_MAGIC = b"\x7fELF"
_MACHINES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}


def host_platform() -> str:
    """What this machine is, as Python knows it without TVM: the start of a triple."""
    return f"{platform.machine()}-{platform.system()}".lower()


def check_loads_here(path: Path) -> None:
    """Checks that this machine can load a shared library.

    Raises:
        LibraryError: it does not exist, is not a library, or is for another architecture.
    """
    header = _header(path)
    if operating_system(host_platform()) != "linux":
        return  # other systems' loaders say it themselves
    machine, host = _architecture(path, header), architecture(host_platform())
    if machine != host:
        raise LibraryError(
            f"{path}: is built for {machine}, but this machine is {host}; run it on such a "
            "device, or build it with --target native"
        )


def built_for(path: Path) -> str:
    """Returns the architecture that a shared library for Linux is for.

    Raises:
        LibraryError: it does not exist, or is not a library.
    """
    return _architecture(path, _header(path))


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(20)
    except OSError as error:
        raise LibraryError(f"{path}: cannot be read: {error.strerror}") from error


def _architecture(path: Path, header: bytes) -> str:
    if header[:4] != _MAGIC or len(header) < 20:
        raise LibraryError(f"{path}: is not a shared library; give a file that `build` wrote")
    machine = int.from_bytes(header[18:20], "little")
    return _MACHINES.get(machine, f"machine {machine}")
