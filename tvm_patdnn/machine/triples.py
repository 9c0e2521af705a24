"""Questions about target triples such as ``aarch64-linux-gnu``."""

from __future__ import annotations

from tvm_patdnn.machine.host_cpu import host_triple

__all__ = ["architecture", "is_host_platform", "operating_system"]

_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64", "i586": "i386", "i686": "i386"}
_SYSTEMS = {
    "android": "android",  # before linux: aarch64-linux-android
    "linux": "linux",
    "darwin": "darwin",
    "macos": "darwin",
    "ios": "ios",
    "windows": "windows",
    "mingw": "windows",
}


def architecture(triple: str) -> str:
    """Returns LLVM's name of a triple's architecture: x86_64, aarch64, arm, riscv64, ..."""
    first = triple.split("-")[0].lower()
    if first.startswith(("armv6", "armv7", "armv8")):
        return "arm"
    return _ARCHITECTURES.get(first, first)


def operating_system(triple: str) -> str:
    """Returns android, linux, darwin, ios, windows, or "" for bare metal."""
    return next((system for word, system in _SYSTEMS.items() if word in triple.lower()), "")


def is_host_platform(triple: str) -> bool:
    """Tells whether this machine loads libraries made for ``triple``."""
    host = host_triple()
    return (architecture(triple), operating_system(triple)) == (
        architecture(host),
        operating_system(host),
    )
