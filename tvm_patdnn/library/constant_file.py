"""A file in memory of the constants that a library will hold, for LLVM to copy from."""

from __future__ import annotations

import os

import numpy as np

from tvm_patdnn.errors import BuildError
from tvm_patdnn.machine.triples import operating_system

__all__ = ["ConstantFile", "constant_file"]

_ALIGNMENT = 64  # bytes: kernels load aligned vectors


class ConstantFile:
    """Arrays one after the other; it is gone when this object is.

    Attributes:
        path: of the file, in this process.
        size: in bytes.
    """

    def __init__(self) -> None:
        self._file = open(os.memfd_create("constants"), "wb")  # noqa: SIM115 -- lives as long
        self.path = f"/proc/self/fd/{self._file.fileno()}"
        self.size = 0

    def add(self, array: np.ndarray) -> int:
        """Appends an array; returns where it begins.

        Raises:
            BuildError: the memory is full, or files may not be as large.
        """
        start = -(-self.size // _ALIGNMENT) * _ALIGNMENT
        try:
            self._file.write(bytes(start - self.size))
            self._file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
            self._file.flush()
        except OSError as error:
            raise BuildError(
                f"the constants of the model cannot be held in memory: {error.strerror}; free "
                "memory, or raise the limit of file sizes (`ulimit -f`)"
            ) from error
        self.size = start + array.nbytes
        return start

    def close(self) -> None:
        """Frees the memory."""
        self._file.close()

    def __del__(self) -> None:
        self.close()


def constant_file(triple: str) -> ConstantFile | None:
    """Makes one for a target; None where this machine or the target's files know no such thing."""
    if not hasattr(os, "memfd_create") or operating_system(triple) not in ("linux", "android"):
        return None
    return ConstantFile()
