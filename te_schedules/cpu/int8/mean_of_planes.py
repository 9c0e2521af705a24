"""The mean of each quantised plane."""

from __future__ import annotations

from collections.abc import Sequence

from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.byte_code import ByteCode, StoredRange, Term
from te_schedules.cpu.int8.plane_loop import LANES, pixels_of
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import Param, prim_func

__all__ = ["mean_of_planes"]


def mean_of_planes(shape: Sequence[int], term: Term, stored: StoredRange) -> PrimFunc:
    """Generates (planes of (n, c, ...), one plane of their means)."""
    batch, channels = shape[:2]
    pixels = pixels_of(shape)
    code = ByteCode(min(LANES, pixels))

    def body(data: Buffer, output: Buffer) -> None:
        with T.parallel(batch * channels) as plane:
            n, c = plane // channels, plane % channels
            sums = T.alloc_buffer((code.lanes,), "int32")
            code.store(sums, code.repeat(T.int32(0)), 0)
            with T.serial(pixels // code.lanes) as i:
                value = code.integers(code.load(data, n, c, i * code.lanes))
                code.store(sums, code.load(sums, 0) + value, 0)
            total = T.int32(-pixels * term.zero)
            for lane in range(code.lanes):
                total = total + sums[lane]
            for rest in range(pixels - pixels % code.lanes, pixels):
                total = total + T.Cast("int32", data[n, c, rest])
            scalar = ByteCode(1)
            steps = T.Cast("float32", total) * T.float32(term.scale / pixels)
            scalar.store(output, scalar.bytes(steps, stored), n, 0, c)

    params: list[Param] = [
        ("data", stored_shape(shape), "uint8"),
        ("output", stored_shape(shape[:2]), "uint8"),
    ]
    return prim_func(params, body)
