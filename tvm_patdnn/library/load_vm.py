"""Loads a library that runs in TVM's virtual machine.

Of TVM only the runtime is imported: on a board, TVM_USE_RUNTIME_LIB=1 in the environment
leaves the compiler unloaded.
"""

from __future__ import annotations

import os
from pathlib import Path

import tvm_ffi

from tvm_patdnn.error_lines import last_line
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.devices import missing_runtime
from tvm_patdnn.library.elf import check_loads_here
from tvm_patdnn.library.fresh_name import fresh_name
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.library.seal import VM, check_seal
from tvm_patdnn.native_warnings import without_native_warnings

__all__ = ["load"]


def load(path: str | os.PathLike[str], num_threads: int | None = None) -> RunnableModel:
    """Loads a library that ``Library.export_library`` wrote.

    What the file holds now is loaded, even if a library of the same name is loaded already.

    Args:
        num_threads: see ``RunnableModel``.

    Raises:
        LibraryError: there is no such file, it is for another CPU or for a GPU that is not
            here, truncated, damaged, or was not built by this package.
    """
    file = Path(path)
    check_loads_here(file)
    sealed = check_seal(file, (VM,))
    with fresh_name(file, sealed.crc32) as name:
        try:
            with without_native_warnings():
                module = tvm_ffi.load_module(name)  # TVM's own function would resolve the link
        except (RuntimeError, OSError, ValueError) as error:
            said = last_line(error)
            reason = missing_runtime(said) or f"cannot be loaded: {said}"
            raise LibraryError(f"{path}: {reason}") from error
    return RunnableModel(module, origin=str(path), num_threads=num_threads)
