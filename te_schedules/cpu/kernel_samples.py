"""Samples of all other kernels."""

from __future__ import annotations

import numpy as np

from te_schedules.cpu.elementwise import LaneInput, elementwise
from te_schedules.cpu.fully_connected import (
    fully_connected,
    pack_matrix,
    pack_sparse_matrix,
    pad_outputs,
    sparse_fully_connected,
)
from te_schedules.cpu.kernel_sample import (
    SIZE,
    Sample,
    padded_windows,
    sample_geometry,
    sample_layout,
    sample_planes,
)
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import splits
from te_schedules.cpu.pool2d import Pool2dWindow, global_average_pool, pool2d
from te_schedules.cpu.relayout import relayout
from te_schedules.cpu.sample_weights import pruned_matrix
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.epilogue import Step

__all__ = [
    "sample_average_pool2d",
    "sample_elementwise",
    "sample_fully_connected",
    "sample_global_average_pool",
    "sample_max_pool2d",
    "sample_relayout",
    "sample_sparse_fully_connected",
]


def sample_max_pool2d(lanes: int) -> Sample:
    """Samples windows that reach over every edge."""
    layout, planes = sample_layout(lanes), sample_planes(3)
    window = Pool2dWindow(kind="max", size=(3, 3), padded=True)
    return Sample(
        func=pool2d(sample_geometry(3, 3, lanes, 3), window),
        arguments=(layout.pack(planes),),
        expected=layout.pack(padded_windows(planes, 3, -np.inf).max(axis=(4, 5))),
    )


def sample_average_pool2d(lanes: int) -> Sample:
    """Samples windows that count only what is inside."""
    layout, planes = sample_layout(lanes), sample_planes(3)
    window = Pool2dWindow(kind="average", size=(3, 3), padded=True)
    return Sample(
        func=pool2d(sample_geometry(3, 3, lanes, 3), window),
        arguments=(layout.pack(planes),),
        expected=layout.pack(np.nanmean(padded_windows(planes, 3, np.nan), axis=(4, 5))),
    )


def sample_global_average_pool(lanes: int) -> Sample:
    """Samples the mean of each plane."""
    layout, planes = sample_layout(lanes), sample_planes(5)
    return Sample(
        func=global_average_pool(1, 5, layout),
        arguments=(layout.pack(planes),),
        expected=planes.mean(axis=(2, 3)),
    )


def sample_elementwise(lanes: int) -> Sample:
    """Samples a concatenation, a sum and ReLU6."""
    layout, one, other = sample_layout(lanes), sample_planes(2), sample_planes(3)
    residual = sample_planes(5)
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


def sample_relayout(lanes: int) -> Sample:
    """Samples planes that are cut into columns, into blocks."""
    source, target = LaneLayout(splits(*SIZE, lanes)[0]), sample_layout(lanes)
    planes = sample_planes(3)
    return Sample(
        func=relayout(1, 3, source, target),
        arguments=(source.pack(planes),),
        expected=target.pack(planes),
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
    data, matrix = rng.standard_normal((2, 9), "f4"), pruned_matrix(9, 37)
    packed, bias = pack_sparse_matrix(matrix, lanes), np.linspace(-1, 1, 37, dtype=np.float32)
    steps = [Step("add", OperandSpec()), Step("relu")]
    return Sample(
        func=sparse_fully_connected(2, 9, packed, lanes, steps),
        arguments=(data, *packed.constants, pad_outputs(bias, lanes)),
        expected=np.maximum(data @ matrix + bias, 0),
    )
