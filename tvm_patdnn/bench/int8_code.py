"""Compiles the kernel of one pruned layer in int8, to look at its code."""

from __future__ import annotations

import numpy as np
import tvm
from onnx import numpy_helper
from tvm.target import Target

from te_schedules.cpu.int8.conv2d import choose_int8_kernel
from te_schedules.cpu.int8.layer import Int8Layer, Requantization
from te_schedules.window import Window
from tvm_patdnn.bench.sample_layers import SampleLayer
from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["int8_assembly"]


def int8_assembly(layer: SampleLayer, target: Target, block: int) -> str:
    """Returns the code of a pruned 3x3 convolution, its weights quantised for each filter.

    Args:
        block: neighbouring filters that are pruned as one.
    """
    (weight,) = layer.pruned(filter_block=block).graph.initializer
    kernel = choose_int8_kernel(
        _quantised(layer, numpy_helper.to_array(weight)), CpuModel.from_target(target)
    )
    func = kernel.func.with_attr("global_symbol", "main")
    built = tvm.compile(tvm.IRModule({"main": func}), target=target)
    return str(built.mod.inspect_source("asm"))


def _quantised(layer: SampleLayer, weight: np.ndarray) -> Int8Layer:
    filters, channels = weight.shape[:2]
    most = np.abs(weight).max(axis=(1, 2, 3), keepdims=True)
    steps = np.rint(weight * (127 / np.maximum(most, 1e-9))).astype(np.int8)
    return Int8Layer(
        in_shape=(1, channels, layer.side, layer.side),
        out_shape=(1, filters, layer.side, layer.side),
        window=Window((3, 3), padding=(1, 1)),
        groups=1,
        weight=steps,
        bias=np.zeros(filters, np.int32),
        in_zero=0,
        store=Requantization(scale=np.full(filters, 1e-3, np.float32), zero=0),
    )
