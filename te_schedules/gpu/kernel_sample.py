"""A sample of a kernel in a small size, with its input and its operands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from te_schedules.epilogue import Step
from te_schedules.gpu.conv2d_binding import GpuConv2d
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.epilogue import OperandSpec
from te_schedules.window import Window
from tvm_patdnn.sparse.fkw import pack_fkw
from tvm_patdnn.sparse.patterns import find_patterns

__all__ = ["Sample", "sample"]

BIAS_AND_RELU: Sequence[Step[OperandSpec]] = (Step("add", OperandSpec()), Step("relu"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """A convolution of small size.

    Attributes:
        weight: (filters, channels of a group, kh, kw) float32.
        groups: of the convolution.
        data: (n, c, height, width).
        operands: of the epilogue's steps.
    """

    kernel: GpuConv2d
    weight: np.ndarray
    groups: int
    data: np.ndarray
    operands: Sequence[np.ndarray] = field(default_factory=tuple)


def sample(
    weight: np.ndarray,
    size: tuple[int, int],
    schedule: GpuSchedule,
    *,
    batch: int = 1,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    padding: tuple[int, int] | None = None,
    groups: int = 1,
    filter_block: int = 1,
    steps: Sequence[Step[OperandSpec]] = BIAS_AND_RELU,
    storage: str = "float32",
) -> Sample:
    """Samples a convolution whose zeros are not stored; random input and operands.

    Args:
        weight: (filters, channels of a group, kh, kw) float32.
        size: height and width of the input.
        padding: before and after, by default half of the kernel.
        filter_block: filters that share a list.
    """
    filters, own, *taps = weight.shape
    kernel_shape = (taps[0], taps[1])
    pads = padding if padding is not None else (taps[0] // 2, taps[1] // 2)
    window = Window(kernel_shape, stride, dilation, pads)
    out_size = [
        (n + 2 * pad - gap * (k - 1) - 1) // step + 1
        for n, pad, gap, k, step in zip(size, pads, dilation, kernel_shape, stride, strict=True)
    ]
    found = find_patterns(weight)
    ids = np.full((filters, own * groups), -1, np.int32)
    for rows, columns in zip(
        np.split(np.arange(filters), groups), np.split(np.arange(own * groups), groups), strict=True
    ):
        ids[np.ix_(rows, columns)] = found.ids[rows]
    shape = (batch, own * groups, *size)
    out_shape = (batch, filters, *out_size)
    rng = np.random.default_rng(7)
    kernel = GpuConv2d(
        geometry=GpuGeometry.of(window, shape, out_shape),
        fkw=pack_fkw(weight, ids, found.patterns, filter_block, schedule.window),
        schedule=schedule,
        steps=steps,
        storage=storage,
    )
    shapes = [each[1] for each in kernel.operands]
    return Sample(
        kernel=kernel,
        weight=weight,
        groups=groups,
        data=rng.standard_normal(shape).astype(storage),
        operands=tuple(rng.standard_normal(each).astype(storage) for each in shapes),
    )
