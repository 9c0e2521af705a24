"""Compiles CUDA for an architecture, which need not be on this machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tvm_patdnn.errors import BenchError

__all__ = ["compile_cuda"]

_OUTPUT_SHOWN = 2000  # characters of nvcc's complaint


def compile_cuda(source: str, binary: Path, arch: str, *options: str) -> None:
    """Writes the machine code of ``source``.

    Args:
        arch: such as "sm_90".
        options: of nvcc, besides.

    Raises:
        BenchError: nvcc is missing, or its complaint.
    """
    line = ["nvcc", "-cubin", "-O3", f"-arch={arch}", *options, "-o", str(binary), "-x", "cu", "-"]
    try:
        done = subprocess.run(line, input=source, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BenchError(
            f"cannot start nvcc, which compiles kernels for CUDA: {error}; install NVIDIA's CUDA "
            "toolkit"
        ) from error
    if done.returncode:
        raise BenchError(f"{binary}: nvcc says: {done.stderr.strip()[-_OUTPUT_SHOWN:]}")
