"""Convolution over kernels stored as FKW, on a GPU, in plain planes.

One generator serves every convolution: pattern-pruned, connectivity-pruned 1x1, dense (one
pattern with all taps, its list shared by a group of filters), grouped and depthwise.

A block is a tile of the plane and some groups of filters: see ``GpuSchedule``. For each window
of channels its threads bring the tile's inputs and the block's lists and weights to shared
memory; then each lane adds the products of its warp's filters to sums in its registers. A schedule
that is not staged reads all of them where they are.
"""

from __future__ import annotations

import numpy as np
from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.gpu.block_code import BlockCode
from te_schedules.gpu.conv2d_binding import GpuConv2d
from te_schedules.gpu.epilogue import bind_operands, store_result
from te_schedules.tir_function import Param, prim_func, when

__all__ = ["conv2d", "sum_parts"]

SUM_THREADS = 256


def conv2d(kernel: GpuConv2d) -> PrimFunc:
    """Generates the kernel (data, *constants, *operands, output).

    Where the schedule splits the channels it is (data, *constants, parts), and ``sum_parts``
    does the rest.
    """
    arrays = kernel.constants
    constants = [(name, each.shape, str(each.dtype)) for name, each in arrays.items()]
    data = ("data", kernel.geometry.in_shape, kernel.storage)
    rest: list[Param] = [("parts", kernel.parts_shape, "float32")]
    if kernel.splits == 1:
        rest = [*kernel.operands, ("output", kernel.geometry.out_shape, kernel.storage)]

    def body(data: Buffer, *buffers: Buffer) -> None:
        stored = dict(zip(arrays, buffers, strict=False))
        BlockCode(kernel, data, stored, buffers[len(arrays) : -1], buffers[-1]).emit()

    return prim_func([data, *constants, *rest], body)


def sum_parts(kernel: GpuConv2d) -> PrimFunc:
    """Generates the kernel (parts, *operands, output) that ends a convolution of splits."""
    shape = kernel.geometry.out_shape
    params = [
        ("parts", kernel.parts_shape, "float32"),
        *kernel.operands,
        ("output", shape, kernel.storage),
    ]
    plane, total = shape[2] * shape[3], int(np.prod(shape))

    def body(parts: Buffer, *buffers: Buffer) -> None:
        steps, output = bind_operands(kernel.steps, buffers[:-1]), buffers[-1]
        with (
            T.launch_thread("blockIdx.x", -(-total // SUM_THREADS)) as block,
            T.launch_thread("threadIdx.x", SUM_THREADS) as thread,
        ):
            index = block * SUM_THREADS + thread
            n, c, at = index // plane // shape[1], index // plane % shape[1], index % plane
            with when(*([index < total] if total % SUM_THREADS else [])):
                sums = parts[0, 0, 0, 0, index]
                for split in range(1, kernel.splits):
                    sums = sums + parts[split, 0, 0, 0, index]
                store_result(output, steps, sums, (n, c, at))

    return prim_func(params, body)
