"""A row of the report, for tests of what reports are made of and stored in."""

from __future__ import annotations

from typing import Any

from tvm_patdnn.layer_report import LayerReport

__all__ = ["layer_report"]

_CONV = {
    "name": "conv2",
    "in_shape": [1, 8, 16, 16],
    "out_shape": [1, 8, 16, 16],
    "kernel_shape": [3, 3],
    "stride": [1, 1],
    "groups": 1,
    "patterns": ["##./##./..."],
    "pattern_counts": [32],
    "kept_kernels": 32,
    "kernels": 64,
    "compression": 4.5,
    "dense_macs": 4_500_000,
    "kept_macs": 1_000_000,
    "kernel": "pattern",
    "reason": "it is faster",
    "schedule": {"rows": 4},
    "bytes": 2048,
    "joined": False,
    "input_loads": 300,
    "products": 600,
    "structure_bytes": 1024,
    "dense_bytes": 2304,
    "csr_bytes": 1060,
}


def layer_report(**changes: Any) -> LayerReport:
    return LayerReport(**{**_CONV, **changes})
