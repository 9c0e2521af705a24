"""Moves tensors into, out of and between lane-blocked layouts."""

from __future__ import annotations

import numpy as np
from tvm import tirx
from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.vector_code import prim_func, when

__all__ = ["gather_planes", "relayout_table"]

PARTS = 4  # of a plane, so that the three of an image occupy all threads


def relayout_table(source: LaneLayout | None, target: LaneLayout | None) -> np.ndarray:
    """Returns where each value of a plane in ``target`` lies in ``source``.

    None stands for the plain row-major plane.

    Returns:
        (values of a target plane,) uint16 or int32: one more than the index; 0 for a zero.
    """
    layout = target or source
    if layout is None:
        raise ValueError("a relayout needs a lane-blocked layout on one side")
    area = layout.height * layout.width
    plain = np.arange(area, dtype=np.int32)
    wanted = target.source_index() if target else plain
    place = plain
    if source is not None:
        # A value is repeated in halos; any place will do, as all of them are always stored.
        held = source.source_index()
        place = np.zeros_like(plain)
        place[held[held >= 0]] = np.flatnonzero(held >= 0)
    table = np.where(wanted < 0, 0, place[wanted] + 1)
    held_values = source.plane_values if source else area
    return table.astype(np.uint16 if held_values < 1 << 16 else np.int32)


def gather_planes(batch: int, channels: int, in_values: int, table: np.ndarray) -> PrimFunc:
    """Generates the kernel (input, table, output) over planes of values.

    Args:
        in_values: values of an input plane.
        table: from ``relayout_table``; its values are an argument of the kernel.
    """
    part = -(-len(table) // PARTS)

    def body(data: Buffer, places: Buffer, output: Buffer) -> None:
        with T.parallel(batch * channels * PARTS) as task, T.serial(part) as k:
            n, c, i = task // (channels * PARTS), task // PARTS % channels, task % PARTS * part + k
            with when(*([i < len(table)] if len(table) % PARTS else [])):
                place = tirx.Cast("int32", places[i]) - 1
                held = T.reinterpret("int32", data[n, c, tirx.max(place, 0)])
                kept = held & ~(place >> 31)  # without a branch, and so without mispredictions
                T.buffer_store(output, T.reinterpret("float32", kept), [n, c, i])

    return prim_func(
        [
            ("data", (batch, channels, in_values), "float32"),
            ("table", table.shape, str(table.dtype)),
            ("output", (batch, channels, len(table)), "float32"),
        ],
        body,
    )
