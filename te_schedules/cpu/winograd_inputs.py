"""The transforms of what a block of tiles reads, packed in the order in which it is multiplied."""

from __future__ import annotations

from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.linear_map import emit_linear_map
from te_schedules.cpu.vector_code import Expr
from te_schedules.cpu.winograd_binding import WinogradBinding

__all__ = ["transform_inputs"]


def transform_inputs(conv: WinogradBinding, packed: Buffer, n: Expr, unit: Expr) -> None:
    """Emits the transforms of all channels.

    Args:
        packed: from ``allocate_packed``.
        unit: the first of the block.
    """
    code, layout, geometry = conv.code, conv.geometry.in_layout, conv.geometry
    with (
        T.serial(conv.kernels.channels) as channel,
        T.serial(conv.schedule.units) as u,
        T.serial(conv.schedule.together) as c,
    ):
        row, column = conv.corner(conv.tile(unit + u, c))
        origin = layout.offset(
            row * geometry.stride[0] - geometry.padding[0],
            column * geometry.stride[1] - geometry.padding[1],
        )
        rows = []
        for r in range(conv.y.products):
            loaded = code.registers(conv.x.products)
            for v, register in enumerate(loaded):
                y, x = r * geometry.dilation[0], v * geometry.dilation[1]
                at = origin + (y * layout.row_vectors + x) * code.lanes
                code.set(register, code.load(conv.data, n, channel, at))
            rows.append(emit_linear_map(code, conv.x.of_inputs, loaded))
        for v, column_values in enumerate(zip(*rows, strict=True)):
            for r, value in enumerate(emit_linear_map(code, conv.y.of_inputs, column_values)):
                at = conv.packed_at(r * conv.x.products + v, channel, u)
                code.store(packed, code.get(value), at + c * code.lanes)
