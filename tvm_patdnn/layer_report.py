"""What became of one convolution: a row of the report.

The passes fill it in, libraries store it, and reports are made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["LayerReport"]


@dataclass(frozen=True, kw_only=True)
class LayerReport:
    """One convolution.

    Attributes:
        in_shape, out_shape: (n, c, height, width).
        kernel_shape, stride: (y, x).
        patterns: pictures of the distinct patterns, rows joined by "/"; the most frequent first.
        pattern_counts: number of kernels of each.
        kept_kernels, kernels: (out_c, in_c) kernels with a weight, and all of them.
        compression: dense weights over kept weights; None where no weight is left.
        dense_macs, kept_macs: multiply-accumulates before and after pruning.
        kernel: "pattern", "connectivity", "dense" or "depthwise".
        joined: it is computed in one kernel with the layer before it.
        reason: why this kernel was chosen.
        schedule: its tile and how its work is shared out.
        input_loads, products: vectors of activations that the kernel loads, and vectors that
            it multiplies and adds; on a GPU a vector is a value of each lane of a warp.
        bytes: the packed weight, of which ``structure_bytes`` are not weights.
        dense_bytes, csr_bytes: the weight as a dense array, and in compressed sparse rows
            with 32-bit indices.
        dtype: of the weights and activations, "float32" or "int8".
    """

    name: str
    in_shape: Sequence[int]
    out_shape: Sequence[int]
    kernel_shape: Sequence[int]
    stride: Sequence[int]
    groups: int
    patterns: Sequence[str]
    pattern_counts: Sequence[int]
    kept_kernels: int
    kernels: int
    compression: float | None
    dense_macs: int
    kept_macs: int
    kernel: str
    joined: bool
    reason: str
    schedule: Mapping[str, Any]
    input_loads: int
    products: int
    bytes: int
    structure_bytes: int
    dense_bytes: int
    csr_bytes: int
    dtype: str = "float32"
