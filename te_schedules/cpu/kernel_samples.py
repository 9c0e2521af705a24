"""Small samples of every kernel: its arguments, and what it has to compute from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tvm.tirx import PrimFunc

from te_schedules.cpu.conv2d import Conv2d, conv2d
from te_schedules.cpu.conv2d_depthwise import conv2d_depthwise
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.elementwise import LaneInput, elementwise
from te_schedules.cpu.fully_connected import (
    fully_connected,
    pack_matrix,
    pack_sparse_matrix,
    pad_outputs,
    sparse_fully_connected,
)
from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import best_split
from te_schedules.cpu.pool2d import Pool2dWindow, global_average_pool, pool2d
from te_schedules.cpu.relayout import gather_planes, relayout_table
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.epilogue import Step
from te_schedules.window import Window
from tvm_patdnn.sparse.fkw import pack_fkw
from tvm_patdnn.sparse.patterns import Pattern, find_patterns

__all__ = [
    "Sample",
    "sample_average_pool2d",
    "sample_connectivity_conv2d",
    "sample_conv2d_depthwise",
    "sample_dense_conv2d",
    "sample_depthwise_conv2d",
    "sample_elementwise",
    "sample_fully_connected",
    "sample_gather_planes",
    "sample_global_average_pool",
    "sample_max_pool2d",
    "sample_pattern_conv2d",
    "sample_sparse_fully_connected",
]

SIZE = (13, 21)  # of the planes: rows and columns that no vector divides
HALO = Halo(top=1, left=1, bottom=1, right=1)
PATTERNS = ("##./##./...", ".##/.##/...", ".#./###/...")


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """A kernel of small size, its arguments and its result.

    Attributes:
        expected: the output, as the kernel stores it.
    """

    func: PrimFunc
    arguments: tuple[np.ndarray, ...]
    expected: np.ndarray


def _planes(channels: int) -> np.ndarray:
    return np.random.default_rng(channels).standard_normal((1, channels, *SIZE), np.float32)


def _windows(planes: np.ndarray, size: int, fill: float = 0.0) -> np.ndarray:
    """Returns the padded windows of each position: (n, c, height, width, size, size)."""
    edge = size // 2
    padded = np.pad(planes, ((0, 0), (0, 0), (edge, edge), (edge, edge)), constant_values=fill)
    return np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))


def _layout(lanes: int) -> LaneLayout:
    return LaneLayout(best_split(*SIZE, lanes), HALO)


def _geometry(channels: int, filters: int, lanes: int, size: int) -> Conv2dGeometry:
    window = Window((size, size), padding=(size // 2, size // 2))
    in_shape = (1, channels, *SIZE)
    return Conv2dGeometry.of(window, in_shape, filters, _layout(lanes), _layout(lanes))


def _convolution(lanes: int, weight: np.ndarray, schedule: Conv2dSchedule) -> Sample:
    """Samples a convolution with bias and ReLU; zeros of ``weight`` are not stored."""
    filters, channels, size = weight.shape[:3]
    found, layout, planes = find_patterns(weight), _layout(lanes), _planes(channels)
    fkw = pack_fkw(weight, found.ids, found.patterns, schedule.group)
    bias = np.linspace(-1, 1, filters, dtype=np.float32).reshape(1, filters)
    steps = [Step("add", OperandSpec()), Step("relu")]
    sums = np.einsum("nchwyx,ocyx->nohw", _windows(planes, size), weight)
    geometry = _geometry(channels, filters, lanes, size)
    kernel = Conv2d(geometry=geometry, fkw=fkw, schedule=schedule, steps=steps)
    return Sample(
        func=conv2d(kernel),
        arguments=(layout.pack(planes), *kernel.constants.values(), bias),
        expected=layout.pack(np.maximum(sums + bias.reshape(1, filters, 1, 1), 0)),
    )


def _weight(filters: int, channels: int, size: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 1, (filters, channels, size, size)).astype("f4")


def sample_pattern_conv2d(lanes: int) -> Sample:
    """Samples three patterns, half of the kernels gone."""
    masks = np.array([Pattern.from_picture(picture).mask() for picture in PATTERNS])
    rng = np.random.default_rng(1)
    mask = masks[rng.integers(len(masks), size=(6, 5))] & (rng.random((6, 5, 1, 1)) < 0.5)
    return _convolution(lanes, _weight(6, 5, 3) * mask, Conv2dSchedule(rows=2, vectors=2, chunks=2))


def sample_connectivity_conv2d(lanes: int) -> Sample:
    """Samples 1x1 kernels, most of them gone."""
    mask = np.random.default_rng(2).random((6, 7, 1, 1)) < 0.4
    return _convolution(lanes, _weight(6, 7, 1) * mask, Conv2dSchedule(rows=2, vectors=2))


def sample_conv2d_depthwise(lanes: int) -> Sample:
    """Samples a 1x1 convolution in groups of filters, and the 3x3 depthwise one behind it."""
    layout, planes = _layout(lanes), _planes(3)
    wide, deep = _weight(5, 3, 1), _weight(5, 1, 3)
    own = np.where(np.eye(5, dtype=bool), 0, -1)
    bias = np.linspace(-1, 1, 5, dtype=np.float32).reshape(1, 5)
    kernels = [
        Conv2d(
            geometry=_geometry(channels, 5, lanes, weight.shape[2]),
            fkw=pack_fkw(weight, ids, find_patterns(weight).patterns, group),
            schedule=Conv2dSchedule(rows=2, vectors=1, group=group, outer=Outer.PLANE, chunks=2),
            steps=[Step("add", OperandSpec()), Step("relu")],
        )
        for weight, ids, group, channels in ((wide, np.zeros((5, 3), int), 2, 3), (deep, own, 1, 5))
    ]
    add = bias.reshape(1, 5, 1, 1)
    between = np.maximum(np.einsum("nchw,oc->nohw", planes, wide[:, :, 0, 0]) + add, 0)
    sums = np.einsum("nchwyx,cyx->nchw", _windows(between, 3), deep[:, 0])
    constants = [list(kernel.constants.values()) for kernel in kernels]
    return Sample(
        func=conv2d_depthwise(*kernels),
        arguments=(layout.pack(planes), *constants[0], bias, *constants[1], bias),
        expected=layout.pack(np.maximum(sums + add, 0)),
    )


def sample_dense_conv2d(lanes: int) -> Sample:
    """Samples groups of filters that share a list."""
    schedule = Conv2dSchedule(rows=1, vectors=2, group=4, hold=Hold.INPUTS)
    return _convolution(lanes, _weight(6, 3, 3), schedule)


def sample_depthwise_conv2d(lanes: int) -> Sample:
    """Samples one kernel for each filter."""
    weight = _weight(4, 4, 3) * np.eye(4, dtype=np.float32).reshape(4, 4, 1, 1)
    return _convolution(lanes, weight, Conv2dSchedule(rows=2, vectors=2))


def sample_max_pool2d(lanes: int) -> Sample:
    """Samples windows that reach over every edge."""
    layout, planes = _layout(lanes), _planes(3)
    window = Pool2dWindow(kind="max", size=(3, 3), padded=True)
    return Sample(
        func=pool2d(_geometry(3, 3, lanes, 3), window),
        arguments=(layout.pack(planes),),
        expected=layout.pack(_windows(planes, 3, -np.inf).max(axis=(4, 5))),
    )


def sample_average_pool2d(lanes: int) -> Sample:
    """Samples windows that count only what is inside."""
    layout, planes = _layout(lanes), _planes(3)
    window = Pool2dWindow(kind="average", size=(3, 3), padded=True)
    return Sample(
        func=pool2d(_geometry(3, 3, lanes, 3), window),
        arguments=(layout.pack(planes),),
        expected=layout.pack(np.nanmean(_windows(planes, 3, np.nan), axis=(4, 5))),
    )


def sample_global_average_pool(lanes: int) -> Sample:
    """Samples the mean of each plane."""
    layout, planes = _layout(lanes), _planes(5)
    return Sample(
        func=global_average_pool(1, 5, layout),
        arguments=(layout.pack(planes),),
        expected=planes.mean(axis=(2, 3)),
    )


def sample_elementwise(lanes: int) -> Sample:
    """Samples a concatenation, a sum and ReLU6."""
    layout, one, other = _layout(lanes), _planes(2), _planes(3)
    residual = _planes(5)
    joined = np.concatenate([one, other], axis=1) + residual
    return Sample(
        func=elementwise(
            1,
            [LaneInput(2, layout), LaneInput(3, layout)],
            layout,
            [Step("add", OperandSpec(layout=layout)), Step("clip", numbers=(0.0, 6.0))],
        ),
        arguments=tuple(layout.pack(planes) for planes in (one, other, residual)),
        expected=layout.pack(np.clip(joined, 0, 6)),
    )


def sample_gather_planes(lanes: int) -> Sample:
    """Samples plain planes into lanes."""
    layout, planes = _layout(lanes), _planes(3)
    flat, table = planes.reshape(1, 3, -1), relayout_table(None, layout)
    return Sample(
        func=gather_planes(1, 3, flat.shape[2], table),
        arguments=(flat, table),
        expected=layout.pack(planes),
    )


def sample_fully_connected(lanes: int) -> Sample:
    """Samples outputs that fill no block."""
    rng = np.random.default_rng(0)
    data, matrix = rng.standard_normal((2, 9), "f4"), rng.standard_normal((9, 37), "f4")
    bias = np.linspace(-1, 1, 37, dtype=np.float32)
    return Sample(
        func=fully_connected(2, 9, 37, lanes, [Step("add", OperandSpec()), Step("relu")]),
        arguments=(data, pack_matrix(matrix, lanes), pad_outputs(bias, lanes)),
        expected=np.maximum(data @ matrix + bias, 0),
    )


def sample_sparse_fully_connected(lanes: int) -> Sample:
    """Samples a matrix that was pruned in vectors of outputs; one of them is gone."""
    rng = np.random.default_rng(0)
    data, matrix = rng.standard_normal((2, 9), "f4"), rng.standard_normal((9, 37), "f4")
    matrix[:5, :16], matrix[3:, 16:32] = 0, 0
    matrix[:, 32:] = 0
    packed, bias = pack_sparse_matrix(matrix, lanes), np.linspace(-1, 1, 37, dtype=np.float32)
    steps = [Step("add", OperandSpec()), Step("relu")]
    return Sample(
        func=sparse_fully_connected(2, 9, packed, lanes, steps),
        arguments=(data, *packed.constants, pad_outputs(bias, lanes)),
        expected=np.maximum(data @ matrix + bias, 0),
    )
