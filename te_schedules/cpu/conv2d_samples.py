"""Samples of the kernels of convolutions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from tvm.tirx import PrimFunc

from te_schedules.cpu.conv2d import Conv2d, conv2d
from te_schedules.cpu.conv2d_binding import Products
from te_schedules.cpu.conv2d_depthwise import conv2d_depthwise
from te_schedules.cpu.conv2d_products import PatternProducts
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.conv2d_winograd import WinogradConv2d, conv2d_winograd
from te_schedules.cpu.generic_sparse_products import TableProducts
from te_schedules.cpu.kernel_sample import (
    Sample,
    padded_windows,
    sample_geometry,
    sample_layout,
    sample_planes,
)
from te_schedules.cpu.sample_weights import (
    connectivity_weight,
    dense_weight,
    depthwise_weight,
    pattern_weight,
)
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.cpu.winograd_kernels import pack_winograd
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from te_schedules.epilogue import Step
from tvm_patdnn.sparse.fkw import pack_fkw
from tvm_patdnn.sparse.patterns import find_patterns
from tvm_patdnn.sparse.unordered_kernels import pack_unordered

__all__ = [
    "sample_connectivity_conv2d",
    "sample_conv2d_depthwise",
    "sample_dense_conv2d",
    "sample_depthwise_conv2d",
    "sample_generic_sparse_conv2d",
    "sample_packed_conv2d",
    "sample_pattern_conv2d",
    "sample_winograd_conv2d",
]


def sample_pattern_conv2d(lanes: int) -> Sample:
    """Samples three patterns, half of the kernels gone."""
    return _convolution(lanes, pattern_weight(6, 5), Conv2dSchedule(rows=2, vectors=2, chunks=2))


def sample_generic_sparse_conv2d(lanes: int) -> Sample:
    """Samples the same, with kernels in the order of the model and taps in a table."""
    schedule = Conv2dSchedule(rows=2, vectors=2, chunks=2)
    return _convolution(lanes, pattern_weight(6, 5), schedule, TableProducts())


def sample_connectivity_conv2d(lanes: int) -> Sample:
    """Samples 1x1 kernels, most of them gone."""
    return _convolution(lanes, connectivity_weight(6, 7), Conv2dSchedule(rows=2, vectors=2))


def sample_dense_conv2d(lanes: int) -> Sample:
    """Samples groups of filters that share a list."""
    schedule = Conv2dSchedule(rows=1, vectors=2, group=4, hold=Hold.INPUTS)
    return _convolution(lanes, dense_weight(6, 3, 3), schedule)


def sample_depthwise_conv2d(lanes: int) -> Sample:
    """Samples one kernel for each filter."""
    weight = dense_weight(4, 4, 3) * np.eye(4, dtype=np.float32).reshape(4, 4, 1, 1)
    return _convolution(lanes, weight, Conv2dSchedule(rows=2, vectors=2))


def sample_conv2d_depthwise(lanes: int) -> Sample:
    """Samples a 1x1 convolution in groups of filters, and the 3x3 depthwise one behind it."""
    layout, planes = sample_layout(lanes), sample_planes(3)
    wide, deep = dense_weight(5, 3, 1), depthwise_weight(5)
    own = np.where(np.eye(5, dtype=bool), 0, -1)
    bias = np.linspace(-1, 1, 5, dtype=np.float32).reshape(1, 5)
    kernels = [
        Conv2d(
            geometry=sample_geometry(channels, 5, lanes, weight.shape[2]),
            fkw=pack_fkw(weight, ids, find_patterns(weight).patterns, group),
            schedule=Conv2dSchedule(rows=2, vectors=1, group=group, outer=Outer.PLANE, chunks=2),
            steps=[Step("add", OperandSpec()), Step("relu")],
        )
        for weight, ids, group, channels in ((wide, np.zeros((5, 3), int), 2, 3), (deep, own, 1, 5))
    ]
    add = bias.reshape(1, 5, 1, 1)
    between = np.maximum(np.einsum("nchw,oc->nohw", planes, wide[:, :, 0, 0]) + add, 0)
    sums = np.einsum("nchwyx,cyx->nchw", padded_windows(between, 3), deep[:, 0])
    constants = [list(kernel.constants.values()) for kernel in kernels]
    return Sample(
        func=conv2d_depthwise(*kernels),
        arguments=(layout.pack(planes), *constants[0], bias, *constants[1], bias),
        expected=layout.pack(np.maximum(sums + add, 0)),
    )


def sample_winograd_conv2d(lanes: int) -> Sample:
    """Samples tiles of different height and width, by transforms."""
    schedule = WinogradSchedule(rows=4, vectors=2, group=4, together=2, units=2, chunks=2)
    return _transformed(lanes, dense_weight(7, 3, 3), schedule)


def sample_packed_conv2d(lanes: int) -> Sample:
    """Samples 1x1 kernels over inputs that are packed first."""
    schedule = WinogradSchedule(rows=1, vectors=1, group=3, together=3, units=2)
    return _transformed(lanes, dense_weight(7, 12, 1), schedule)


def _transformed(lanes: int, weight: np.ndarray, schedule: WinogradSchedule) -> Sample:
    filters, channels, size = weight.shape[:3]
    geometry = sample_geometry(channels, filters, lanes, size)
    kernels = pack_winograd(weight, schedule)
    steps = [Step("add", OperandSpec()), Step("relu")]
    kernel = WinogradConv2d(geometry=geometry, kernels=kernels, schedule=schedule, steps=steps)
    func, constants = conv2d_winograd(kernel), kernel.constants
    return _with_bias_and_relu(lanes, weight, func, constants)


def _convolution(
    lanes: int, weight: np.ndarray, schedule: Conv2dSchedule, products: Products | None = None
) -> Sample:
    """Samples a convolution with bias and ReLU; zeros of ``weight`` are not stored.

    Args:
        products: other than those for patterns, over kernels in the order of the model.
    """
    filters, channels, size = weight.shape[:3]
    found = find_patterns(weight)
    kernels = (weight, found.ids, found.patterns)
    fkw = pack_unordered(*kernels) if products else pack_fkw(*kernels, schedule.group)
    steps = [Step("add", OperandSpec()), Step("relu")]
    geometry = sample_geometry(channels, filters, lanes, size)
    kernel = Conv2d(
        geometry=geometry,
        fkw=fkw,
        schedule=schedule,
        steps=steps,
        products=products or PatternProducts(),
    )
    return _with_bias_and_relu(lanes, weight, conv2d(kernel), kernel.constants)


def _with_bias_and_relu(
    lanes: int, weight: np.ndarray, func: PrimFunc, constants: Mapping[str, np.ndarray]
) -> Sample:
    filters, channels, size = weight.shape[:3]
    layout, planes = sample_layout(lanes), sample_planes(channels)
    bias = np.linspace(-1, 1, filters, dtype=np.float32).reshape(1, filters)
    sums = np.einsum("nchwyx,ocyx->nohw", padded_windows(planes, size), weight)
    return Sample(
        func=func,
        arguments=(layout.pack(planes), *constants.values(), bias),
        expected=layout.pack(np.maximum(sums + bias.reshape(1, filters, 1, 1), 0)),
    )
