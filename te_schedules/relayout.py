"""Moves tensors into, out of and between lane-blocked layouts."""

from __future__ import annotations

import numpy as np
from tvm import tirx
from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.lane_layout import LaneLayout
from te_schedules.vector_code import prim_func

__all__ = ["gather_planes", "relayout_table"]


def relayout_table(source: LaneLayout | None, target: LaneLayout | None) -> np.ndarray:
    """Returns where each value of a plane in ``target`` lies in ``source``; -1 for zero.

    None stands for the plain row-major plane. Returns (values of a target plane,) int32.
    """
    layout = target or source
    if layout is None:
        raise ValueError("a relayout needs a lane-blocked layout on one side")
    plain = np.arange(layout.height * layout.width, dtype=np.int32)
    wanted = target.source_index() if target else plain
    if source is None:
        return wanted
    held = source.source_index()
    place = np.zeros_like(plain)
    place[held[held >= 0]] = np.flatnonzero(held >= 0)
    # A value is repeated in halos; the block itself is read, which is always stored.
    return np.where(wanted < 0, -1, place[wanted]).astype(np.int32)


def gather_planes(batch: int, channels: int, in_values: int, out_values: int) -> PrimFunc:
    """Generates the kernel (input, table (out_values,), output) over planes of values."""

    def body(data: Buffer, table: Buffer, output: Buffer) -> None:
        with T.parallel(batch * channels) as plane, T.serial(out_values) as i:
            n, c = plane // channels, plane % channels
            place = tirx.max(table[i], 0)
            value = tirx.Select(table[i] < 0, T.float32(0.0), data[n, c, place])
            T.buffer_store(output, value, [n, c, i])

    return prim_func(
        [
            ("data", (batch, channels, in_values), "float32"),
            ("table", (out_values,), "int32"),
            ("output", (batch, channels, out_values), "float32"),
        ],
        body,
    )
