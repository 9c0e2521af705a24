"""How much memory a tensor takes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tvm

__all__ = ["ALIGNMENT", "aligned_bytes", "tensor_bytes"]

ALIGNMENT = 64  # bytes, of all tensors: what the VM's calling convention promises LLVM, too


def tensor_bytes(shape: Sequence[int], dtype: str) -> int:
    """Bytes of a dense tensor; ``dtype`` in TVM's words, so also vectors such as float32x8."""
    kind = tvm.DataType(dtype)
    return math.prod(shape) * kind.lanes * -(-kind.bits // 8)


def aligned_bytes(size: int) -> int:
    """``size`` and what is skipped so that the next tensor is aligned."""
    return -(-size // ALIGNMENT) * ALIGNMENT
