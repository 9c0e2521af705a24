"""The transforms of what a block of tiles reads, packed in the order in which it is multiplied."""

from __future__ import annotations

from dataclasses import dataclass

from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.cpu.linear_map import emit_linear_map
from te_schedules.cpu.vector_code import Expr
from te_schedules.cpu.winograd_binding import WinogradBinding
from te_schedules.cpu.winograd_phases import Phase, phases

__all__ = ["transform_inputs"]


def transform_inputs(conv: WinogradBinding, packed: Buffer, n: Expr, unit: Expr) -> None:
    """Emits the transforms of all channels.

    Args:
        packed: from ``allocate_packed``.
        unit: the first of the block.
    """
    code, geometry = conv.code, conv.geometry
    with (
        T.serial(geometry.in_channels) as channel,
        T.serial(conv.schedule.units) as u,
        T.serial(conv.schedule.together) as c,
    ):
        row, column = conv.corner(conv.tile(unit + u, c))
        origin = geometry.in_layout.offset(
            row * geometry.stride[0] - geometry.padding[0],
            column * geometry.stride[1] - geometry.padding[1],
        )
        for i, phase in enumerate(phases(geometry.window.taps, geometry.stride)):
            source = _Source(conv, phase, n, channel, origin)
            for (r, v), value in source.transformed().items():
                at = conv.packed_at(r * conv.x.products + v, i * geometry.in_channels + channel, u)
                code.store(packed, code.get(value), at + c * code.lanes)


@dataclass(frozen=True)
class _Source:
    """What a tile reads of one channel in one phase of the window."""

    conv: WinogradBinding
    phase: Phase
    n: Expr
    channel: Expr
    origin: Expr

    def transformed(self) -> dict[tuple[int, int], Buffer]:
        """Emits the transform, and returns its values by row and column."""
        code, y, x = self.conv.code, self.conv.y, self.conv.x
        rows = []
        for r in range(y.products):
            loaded = code.registers(x.products)
            for v, register in enumerate(loaded):
                code.set(register, self._input(r, v))
            rows.append(emit_linear_map(code, x.of_inputs, loaded))
        return {
            (r, v): value
            for v, column in enumerate(zip(*rows, strict=True))
            for r, value in enumerate(emit_linear_map(code, y.of_inputs, column))
        }

    def _input(self, r: int, v: int) -> Expr:
        """Returns an input of the tile; zero where no tap of the phase reads it."""
        code, phase, (step_y, step_x) = self.conv.code, self.phase, self.conv.geometry.stride
        most_y, most_x = self.conv.y.outputs, self.conv.x.outputs
        if r >= most_y + phase.taps[0] - 1 or v >= most_x + phase.taps[1] - 1:
            return code.broadcast(0.0)
        y, x = phase.first[0] + r * step_y, phase.first[1] + v * step_x
        at = self.origin + (y * self.conv.geometry.in_layout.row_vectors + x) * code.lanes
        return code.load(self.conv.data, self.n, self.channel, at)
