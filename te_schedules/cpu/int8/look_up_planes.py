"""Functions of one byte, of whatever kind: what is stored of each byte is in a table."""

from __future__ import annotations

from collections.abc import Sequence

from tvm.tirx import Buffer, Cast, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.plane_loop import pixels_of
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import prim_func

__all__ = ["BYTES", "look_up_planes"]

BYTES = 256  # that there are


def look_up_planes(shape: Sequence[int]) -> PrimFunc:
    """Generates (planes, table (256,) uint8, output): the table's entry of each pixel."""
    stored = stored_shape(shape)
    batch, planes, _ = stored

    def body(data: Buffer, table: Buffer, output: Buffer) -> None:
        with T.parallel(batch * planes) as plane, T.serial(pixels_of(shape)) as pixel:
            at = [plane // planes, plane % planes, pixel]
            T.buffer_store(output, table[Cast("int32", data[tuple(at)])], at)

    params = [("data", stored, "uint8"), ("table", (BYTES,), "uint8"), ("output", stored, "uint8")]
    return prim_func(params, body)
