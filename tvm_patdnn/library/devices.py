"""The devices that TVM's virtual machine runs models on, and what is missing where it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tvm
import tvm_ffi

from tvm_patdnn.errors import LibraryError

__all__ = ["missing_runtime", "open_device"]

_NEEDS = {
    "cuda": "TVM's runtime for CUDA: NVIDIA's driver, and libcudart.so.13 of CUDA 13",
    "opencl": "a build of TVM with OpenCL, which its wheels are not; write the standalone kind, "
    "which opens the driver by itself: export_standalone, --kind standalone",
    "metal": "a build of TVM with Metal, on an Apple device",
}


def open_device(module: tvm_ffi.Module) -> tvm.runtime.Device:
    """Returns the device that a loaded library, or one just built, computes on.

    Raises:
        LibraryError: this machine has none of its kind, or TVM's runtime cannot use it.
    """
    kind = next((each for each in _kinds(module) if each in _NEEDS), "cpu")
    device = tvm.device(kind)
    if not device.exist:
        raise LibraryError(
            f"the library is for a GPU by {kind}, and this machine has none that TVM can use; it "
            f"needs the device, and {_NEEDS[kind]}"
        )
    return device


def missing_runtime(said: str) -> str:
    """Explains TVM's complaint about a library whose code it cannot load; "" for others."""
    found = re.search(r"created using \{(\w+)\}", said)
    if found is None or found[1] not in _NEEDS:
        return ""
    return f"is for a GPU by {found[1]}; it needs the device, and {_NEEDS[found[1]]}"


def _kinds(module: tvm_ffi.Module) -> Iterator[str]:
    yield str(module.kind)
    for imported in module.imports:
        yield from _kinds(imported)
