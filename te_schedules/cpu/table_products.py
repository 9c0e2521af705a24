"""The products of a tile with kernels that find their taps in a table: no load is shared."""

from __future__ import annotations

from dataclasses import dataclass

from tvm import tirx
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_binding import Conv2dBinding, Corner
from te_schedules.cpu.conv2d_lists import ListedKernel, has_uniform_kernels, kernels_of_run
from te_schedules.cpu.conv2d_tile import Tile
from te_schedules.cpu.vector_code import Expr

__all__ = ["TableProducts"]


@dataclass(frozen=True)
class TableProducts:
    """One code for all patterns."""

    def registers(self, conv: Conv2dBinding) -> tuple[int, int]:
        """See ``Products``."""
        return 1, 1

    def add_group(self, conv: Conv2dBinding, tile: Tile, corner: Corner, slot: Expr) -> None:
        """See ``Products``."""
        if has_uniform_kernels(conv):
            with T.serial(conv.fkw.runs) as p:
                _add_run(conv, tile, corner, slot, p)
            return
        for p in range(conv.fkw.runs):
            _add_run(conv, tile, corner, slot, p)


def _add_run(conv: Conv2dBinding, tile: Tile, corner: Corner, slot: Expr, p: Expr) -> None:
    entries = conv.fkw.entries[0 if has_uniform_kernels(conv) else p]
    with kernels_of_run(conv, slot, p) as kernel:
        pattern = p if conv.fkw.pattern is None else conv.stored["pattern"][kernel.number]
        for tap in range(entries):
            at = conv.stored["taps"][tirx.Cast("int32", pattern), tap]
            _add_tap(conv, tile, corner, kernel, (tap, at))


def _add_tap(
    conv: Conv2dBinding, tile: Tile, corner: Corner, kernel: ListedKernel, tap: tuple[int, Expr]
) -> None:
    """Emits the products of a tap, given by its number and its distance from the first one."""
    (weight,), (held,), code = tile.weights, tile.inputs, conv.code
    number, distance = tap
    code.set(weight, code.broadcast(conv.stored["weight"][kernel.weight + number]))
    stride, first = conv.geometry.stride, conv.origin(corner) + distance
    for row, vector in tile.places:
        at = first + conv.distance((row * stride[0], vector * stride[1]))
        code.set(held, code.load(conv.data, corner.n, kernel.channel, at))
        tile.multiply_add(0, (row, vector), weight, held)
