"""Repeats the pixels of quantised planes: nearest-neighbour resizing by a whole number."""

from __future__ import annotations

from tvm import tirx
from tvm.tirx import Buffer, IntImm, PrimFunc, Shuffle
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.byte_code import ByteCode, StoredRange, Term
from te_schedules.cpu.int8.plane_loop import LANES
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.vector_code import Expr, prim_func

__all__ = ["enlarge_planes"]

Shape = tuple[int, int, int, int]


def enlarge_planes(shape: Shape, repeat: int, term: Term, stored: StoredRange) -> PrimFunc:
    """Generates (data (n, c, h, w), output (n, c, h * repeat, w * repeat)), as planes."""
    batch, channels, height, width = shape
    enlarged = (batch, channels, height * repeat, width * repeat)
    code = ByteCode(min(width, max(1, LANES // repeat)))
    copies = ByteCode(code.lanes * repeat)

    def body(data: Buffer, output: Buffer) -> None:
        with T.parallel(batch * channels) as plane:
            n, c = plane // channels, plane % channels
            with T.serial(height * repeat) as y, T.serial(-(-width // code.lanes)) as i:
                x = tirx.min(i * code.lanes, width - code.lanes)
                source = (n, 0, c) if height * width == 1 else (n, c, y // repeat * width + x)
                value = code.load(data, *source)
                if not term.is_stored_as(stored):
                    value = code.bytes(code.numbers(value, term), stored)
                value = _repeated(value, code.lanes, repeat)
                copies.store(output, value, n, c, y * (width * repeat) + x * repeat)

    names = [("data", shape), ("output", enlarged)]
    return prim_func([(name, stored_shape(each), "uint8") for name, each in names], body)


def _repeated(value: Expr, lanes: int, repeat: int) -> Expr:
    if lanes == 1:
        return ByteCode(repeat).repeat(value)
    copies = [value] * repeat  # a shuffle has no more values than it is given
    return Shuffle(copies, [IntImm("int32", i // repeat) for i in range(lanes * repeat)])
