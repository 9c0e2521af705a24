"""Convolutions and records that several tests of the dense baseline need."""

from __future__ import annotations

from typing import Any

import tvm

from tvm_patdnn.bench.dense_tuning.records import DenseRecord
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import ConvShape
from tvm_patdnn.machine.host_cpu import host_cpu

__all__ = ["conv_shape", "dense_record"]


def conv_shape(**changes: Any) -> ConvShape:
    """A convolution of 3x3, 8 -> 16 channels at 10x10."""
    fields: dict[str, Any] = {
        "in_shape": (1, 8, 10, 10),
        "weight_shape": (16, 8, 3, 3),
        "stride": (1, 1),
        "dilation": (1, 1),
        "padding": (1, 1, 1, 1),
        "groups": 1,
    }
    return ConvShape(**{**fields, **changes})


def dense_record(**changes: Any) -> DenseRecord:
    """A record for this machine that prefers the tuner's schedule."""
    fields: dict[str, Any] = {
        "cpu": host_cpu(),
        "machine": "A CPU, 2 CPUs",
        "threads": 2,
        "tvm": tvm.__version__,
        "shape": conv_shape(),
        "trials": 32,
        "trace": [[], []],
        "tuned_s": 0.001,
        "ours_s": 0.002,
    }
    return DenseRecord(**{**fields, **changes})
