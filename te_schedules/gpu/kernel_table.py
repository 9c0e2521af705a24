"""One table of all kernels for GPUs, in the awkward shapes in which each is tested.

Planes and channels divide no tile and no window, unless that is what a row is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from te_schedules.epilogue import Step
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.epilogue import OperandSpec
from te_schedules.gpu.kernel_sample import Sample, sample
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["KERNELS", "pruned_weight"]

PICTURES = ("##./##./...", ".##/.##/...", ".#./###/...")


def pruned_weight(
    filters: int, channels: int, block: int = 1, kept: float = 0.5, size: int = 3
) -> np.ndarray:
    """Returns (filters, channels, size, size) float32; of 3x3 kernels with three patterns.

    Args:
        block: neighbouring filters that are pruned as one.
        kept: share of the kernels.
    """
    rng = np.random.default_rng(1)
    lists = -(-filters // block)
    masks = np.ones((1, size, size), bool)
    if size == 3:
        masks = np.array([Pattern.from_picture(picture).mask() for picture in PICTURES])
    mask = masks[rng.integers(len(masks), size=(lists, channels))]
    mask = mask & (rng.random((lists, channels, 1, 1)) < kept)
    mask = np.repeat(mask, block, axis=0)[:filters]
    return (rng.uniform(0.5, 1, mask.shape) * mask).astype(np.float32)


def _free() -> Sample:
    schedule = GpuSchedule(lanes_x=8, rows=3, warps=2, groups=2, window=4)
    return sample(pruned_weight(7, 10), (13, 11), schedule)


def _blocks() -> Sample:
    schedule = GpuSchedule(lanes_x=8, rows=3, warps=2, window=5)
    return sample(pruned_weight(10, 10, 4), (13, 11), schedule, filter_block=4)


def _pairs_of_columns() -> Sample:
    schedule = GpuSchedule(lanes_x=7, rows=3, columns=2, warps=2, window=6)
    return sample(pruned_weight(9, 12, 2), (14, 15), schedule, filter_block=2, batch=2)


def _split_channels() -> Sample:
    schedule = GpuSchedule(lanes_x=14, rows=4, warps=2, window=4, splits=3)
    residual: Sequence[Step[OperandSpec]] = (
        Step("add", OperandSpec()),
        Step("add", OperandSpec(tensor=True)),
        Step("relu"),
    )
    return sample(pruned_weight(6, 14), (9, 14), schedule, steps=residual, batch=2)


def _other_warp() -> Sample:
    schedule = GpuSchedule(lanes=16, lanes_x=4, rows=2, warps=3, window=3)
    return sample(pruned_weight(5, 5), (9, 9), schedule)


def _stride_two() -> Sample:
    schedule = GpuSchedule(lanes_x=8, rows=2, warps=2, window=4)
    weight = pruned_weight(6, 7)
    return sample(weight, (15, 18), schedule, stride=(2, 2), steps=(Step("silu"),))


def _uneven_stride_without_padding() -> Sample:
    schedule = GpuSchedule(lanes_x=16, rows=2, warps=2, window=4)
    weight = pruned_weight(8, 6, 4)
    return sample(weight, (11, 13), schedule, stride=(1, 2), padding=(0, 0), filter_block=4)


def _dilation() -> Sample:
    schedule = GpuSchedule(lanes_x=8, rows=3, columns=2, warps=2, window=3)
    weight = pruned_weight(4, 6, 4)
    return sample(weight, (11, 13), schedule, dilation=(2, 2), padding=(2, 2), filter_block=4)


def _few_weights() -> Sample:
    schedule = GpuSchedule(lanes_x=8, rows=2, warps=2, window=2)
    return sample(pruned_weight(3, 3, kept=0.2), (5, 5), schedule, steps=())


def _nothing_left() -> Sample:
    schedule = GpuSchedule(lanes_x=8, rows=2, warps=2, window=3)
    return sample(pruned_weight(3, 3, kept=0.0), (5, 5), schedule)


def _connectivity() -> Sample:
    schedule = GpuSchedule(lanes_x=7, rows=2, warps=2, groups=3, window=8)
    return sample(pruned_weight(11, 20, size=1), (7, 7), schedule)


def _dense() -> Sample:
    schedule = GpuSchedule(lanes_x=16, rows=3, warps=2, window=2)
    return sample(pruned_weight(10, 6, kept=1.0, size=2), (9, 17), schedule, filter_block=4)


def _first_layer() -> Sample:
    schedule = GpuSchedule(lanes_x=8, rows=2, warps=2, window=3)
    weight = pruned_weight(6, 3, kept=1.0, size=7)
    return sample(weight, (21, 21), schedule, stride=(2, 2), filter_block=2)


def _depthwise() -> Sample:
    schedule = GpuSchedule(lanes_x=8, rows=3, warps=4, window=4)
    return sample(pruned_weight(11, 1, kept=1.0), (13, 8), schedule, groups=11)


def _grouped() -> Sample:
    schedule = GpuSchedule(lanes_x=9, rows=2, warps=2, window=2, splits=2)
    return sample(pruned_weight(20, 3, kept=1.0), (9, 9), schedule, groups=5)


def _halves() -> Sample:
    schedule = GpuSchedule(lanes_x=8, rows=3, warps=2, window=5)
    weight = pruned_weight(10, 10, 4)
    return sample(weight, (13, 11), schedule, filter_block=4, storage="float16")


def _unstaged() -> Sample:
    schedule = GpuSchedule(lanes=8, lanes_x=4, rows=3, warps=2, groups=2, window=6, staged=False)
    return sample(pruned_weight(10, 11, 2), (13, 11), schedule, filter_block=2, batch=2)


def _unstaged_split() -> Sample:
    schedule = GpuSchedule(
        lanes=8, lanes_x=8, rows=2, columns=2, warps=2, window=4, splits=3, staged=False
    )
    weight = pruned_weight(6, 14, kept=0.7)
    return sample(weight, (9, 15), schedule, dilation=(2, 1), padding=(2, 0))


def _unstaged_stride_two() -> Sample:
    schedule = GpuSchedule(lanes=16, lanes_x=8, rows=2, warps=2, window=7, staged=False)
    weight = pruned_weight(8, 7, 4)
    return sample(weight, (15, 18), schedule, stride=(2, 2), filter_block=4)


def _unstaged_depthwise() -> Sample:
    schedule = GpuSchedule(lanes=8, lanes_x=8, rows=3, warps=4, window=4, staged=False)
    return sample(pruned_weight(11, 1, kept=1.0), (13, 8), schedule, groups=11)


def _unstaged_halves() -> Sample:
    schedule = GpuSchedule(lanes=8, lanes_x=8, rows=2, warps=2, window=20, staged=False)
    weight = pruned_weight(8, 20, 4, size=1)
    return sample(weight, (7, 7), schedule, filter_block=4, storage="float16")


KERNELS: Mapping[str, Callable[[], Sample]] = {
    "pattern conv2d": _free,
    "pattern conv2d, blocks of 4": _blocks,
    "pattern conv2d, pairs of columns": _pairs_of_columns,
    "pattern conv2d, channels split": _split_channels,
    "pattern conv2d, warps of 16": _other_warp,
    "pattern conv2d, stride 2": _stride_two,
    "pattern conv2d, stride (1, 2), no padding": _uneven_stride_without_padding,
    "pattern conv2d, dilation": _dilation,
    "pattern conv2d, few weights": _few_weights,
    "pattern conv2d, no weights": _nothing_left,
    "connectivity conv2d": _connectivity,
    "dense conv2d": _dense,
    "dense conv2d, 7x7": _first_layer,
    "depthwise conv2d": _depthwise,
    "grouped conv2d": _grouped,
    "pattern conv2d, float16": _halves,
    "pattern conv2d, unstaged": _unstaged,
    "pattern conv2d, unstaged, channels split": _unstaged_split,
    "pattern conv2d, unstaged, stride 2": _unstaged_stride_two,
    "depthwise conv2d, unstaged": _unstaged_depthwise,
    "connectivity conv2d, unstaged, float16": _unstaged_halves,
}
