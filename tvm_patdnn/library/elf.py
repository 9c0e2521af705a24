"""Reads from a shared library which machine it is for, before the loader says less."""

from __future__ import annotations

import platform
from pathlib import Path

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.machine.triples import architecture, operating_system

__all__ = ["check_loads_here", "host_platform"]

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
    try:
        with path.open("rb") as file:
            header = file.read(20)
    except OSError as error:
        raise LibraryError(f"{path}: cannot be read: {error.strerror}") from error
    if operating_system(host_platform()) != "linux":
        return  # other systems' loaders say it themselves
    if header[:4] != _MAGIC or len(header) < 20:
        raise LibraryError(f"{path}: is not a shared library; give a file that `build` wrote")
    machine = int.from_bytes(header[18:20], "little")
    built_for, host = _MACHINES.get(machine, f"machine {machine}"), architecture(host_platform())
    if built_for != host:
        raise LibraryError(
            f"{path}: is built for {built_for}, but this machine is {host}; run it on such a "
            "device, or build it with --target native"
        )
