"""The products of a tile with kernels that find their taps in a table, as generic sparse code does.

No load is shared. It is what the code for patterns is measured against: kernels need no
order, each may say which pattern it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tvm import tirx
from tvm.tirx.script import builder as T

from te_schedules.cpu.conv2d_binding import Conv2dBinding, Corner
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_lists import ListedKernel, has_uniform_kernels, kernels_of_run
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.conv2d_tile import Tile
from te_schedules.cpu.tile_reads import Place
from te_schedules.cpu.vector_code import Expr
from tvm_patdnn.sparse.packed_kernels import PackedKernels
from tvm_patdnn.sparse.unordered_kernels import UnorderedKernels

__all__ = ["TableProducts", "tap_table"]


@dataclass(frozen=True)
class TableProducts:
    """One code for all patterns, for one filter at a time."""

    taps: str = "table"

    def check(self, fkw: PackedKernels, schedule: Conv2dSchedule) -> None:
        """See ``Products``."""
        if fkw.group > 1:
            raise ValueError(
                f"group={fkw.group}: kernels that find their taps in a table are computed for "
                "one filter at a time; expected group=1"
            )
        if schedule.copy_inputs:
            raise ValueError(
                "copy_inputs=True: a table of taps says how far they are from each other in a "
                "plane; expected copy_inputs=False"
            )

    def constants(self, geometry: Conv2dGeometry, fkw: PackedKernels) -> dict[str, np.ndarray]:
        """See ``Products``."""
        of_kernel = {"pattern": fkw.pattern} if isinstance(fkw, UnorderedKernels) else {}
        return {**of_kernel, "taps": tap_table(geometry, fkw)}

    def loads(
        self, geometry: Conv2dGeometry, fkw: PackedKernels, p: int, places: Sequence[Place]
    ) -> int:
        """See ``Products``."""
        return fkw.entries[p] * len(places)

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


def tap_table(geometry: Conv2dGeometry, fkw: PackedKernels) -> np.ndarray:
    """Returns (patterns, most taps) int32: where each tap reads, from where the first tap does."""
    lanes, row_vectors = geometry.in_layout.lanes, geometry.in_layout.row_vectors
    table = np.zeros((max(len(fkw.patterns), 1), max(fkw.entries, default=1)), np.int32)
    for p, pattern in enumerate(fkw.patterns):
        y, x = np.array(pattern.taps).T * np.array(geometry.dilation)[:, None]
        table[p, : len(pattern)] = (y * row_vectors + x) * lanes
    return table


def _add_run(conv: Conv2dBinding, tile: Tile, corner: Corner, slot: Expr, p: Expr) -> None:
    entries = conv.fkw.entries[0 if has_uniform_kernels(conv) else p]
    with kernels_of_run(conv, slot, p) as kernel:
        pattern = conv.stored["pattern"][kernel.number] if "pattern" in conv.stored else p
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
        code.set(held, code.load(conv.data, corner.n, 0, kernel.inputs + at))
        tile.multiply_add(0, (row, vector), weight, held)
