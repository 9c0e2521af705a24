"""A convolution and the depthwise one that reads it, in one kernel, plane by plane.

A plane between the two is as large as the cache that is nearest, so it is consumed as soon
as it is there.
"""

from __future__ import annotations

import numpy as np
from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d import Conv2d
from te_schedules.cpu.conv2d_loops import emit_depthwise, emit_planes
from te_schedules.cpu.conv2d_products import PatternProducts
from te_schedules.cpu.vector_code import Param, prim_func

__all__ = ["can_precede_depthwise", "conv2d_depthwise", "is_depthwise"]


def conv2d_depthwise(first: Conv2d, depthwise: Conv2d) -> PrimFunc:
    """Generates the kernel of both.

    Arguments: (input, *constants and *operands of the first, the same of the depthwise one,
    output).

    Args:
        first: see ``can_precede_depthwise``.
        depthwise: see ``is_depthwise``.

    Raises:
        ValueError: they are not.
    """
    _check(first, depthwise)
    geometry, out, chunks = first.geometry, depthwise.geometry, first.schedule.chunks

    def body(data: Buffer, *buffers: Buffer) -> None:
        of_first, of_second = buffers[: len(first.params)], buffers[len(first.params) : -1]
        with T.parallel(geometry.batch * chunks) as task:
            between = T.alloc_buffer(out.in_layout.shape(1, first.fkw.group), "float32")
            planes = first.bind(data, of_first, between)
            windows = depthwise.bind(between, of_second, buffers[-1])
            tile, small = planes.allocate(), windows.allocate()
            chunk, n = task % chunks, task // chunks
            start, end = planes.groups_of(chunk)
            with T.serial(end - start) as i:
                emit_planes(planes, tile, start + i, n, windows.store)
                for f in range(first.fkw.group):
                    emit_depthwise(windows, small, f, planes.filter(start + i, f), n)

    return prim_func(_params(first, depthwise), body)


def _check(first: Conv2d, depthwise: Conv2d) -> None:
    if not can_precede_depthwise(first):
        raise ValueError(
            "first: expected a schedule of a plane at a time, got "
            f"{first.schedule.outer} in {first.fkw.bands} bands"
        )
    if not is_depthwise(depthwise):
        raise ValueError(
            "depthwise: expected one kernel of one pattern for each filter, of its own channel, "
            "with taps in code"
        )


def _params(first: Conv2d, depthwise: Conv2d) -> list[Param]:
    return [
        ("data", first.geometry.in_shape, "float32"),
        *first.params,
        *((f"depthwise_{name}", shape, dtype) for name, shape, dtype in depthwise.params),
        ("output", depthwise.geometry.out_shape, "float32"),
    ]


def can_precede_depthwise(kernel: Conv2d) -> bool:
    """Whether the kernel computes a plane at a time, without bands of channels."""
    return kernel.fkw.bands == 1 and kernel.schedule.whole_planes


def is_depthwise(kernel: Conv2d) -> bool:
    """Whether filter i has one kernel, of channel i, all of one pattern that is in its code."""
    fkw, own = kernel.fkw, np.arange(kernel.fkw.filters)
    one_pattern = isinstance(kernel.products, PatternProducts) and len(fkw.patterns) == 1
    return one_pattern and all(np.array_equal(numbers, own) for numbers in (fkw.reorder, fkw.index))
