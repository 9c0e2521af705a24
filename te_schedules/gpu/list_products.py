"""Multiplies the kernels of a list with the inputs of a tile, in one lane.

Each pattern is a piece of code, a loop over its kernels. An input is loaded once from shared
memory for all taps, all rows and all filters of the group that use it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tvm.tirx import Buffer, Ramp
from tvm.tirx.script import builder as T

from te_schedules.gpu.block_lists import HEADER, PATTERN_STEP
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.lane_inputs import LaneInputs
from te_schedules.tir_function import Expr
from te_schedules.window import Window
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["ListProducts", "Use", "lane_reads"]

Use = tuple[int, int, int]  # a tap, and the output row and column that it serves


@dataclass(frozen=True, kw_only=True)
class ListProducts:
    """The code that adds products to the sums of a warp.

    Attributes:
        patterns: that lists have, in their order.
        group: filters that share a list.
        unit: weights that are loaded together.
        inputs: of the lane.
        lists, weight: read what the block has of them, at a place.
        sums: registers (groups, group, rows, columns), flat.
    """

    window: Window
    schedule: GpuSchedule
    patterns: tuple[Pattern, ...]
    group: int
    unit: int
    inputs: LaneInputs
    lists: Callable[[Expr], Expr]
    weight: Callable[[Expr], Expr]
    sums: Sequence[Buffer]

    def emit(self, position: Expr, i: int) -> None:
        """Emits the products of a list.

        Args:
            position: of its group in the block.
            i: of its group in the warp.
        """
        at = T.alloc_buffer((3,), "int32", scope="local")  # next kernel, its number, its weights
        T.buffer_store(at, self.lists(position * HEADER), [0])
        T.buffer_store(at, self.lists(position * HEADER + 1), [2])
        T.buffer_store(at, self.lists(at[0]), [1])
        for p, pattern in enumerate(self.patterns):
            with T.While(at[1] < (p + 1) * PATTERN_STEP):
                corner = T.alloc_buffer((1,), "int32", scope="local")
                T.buffer_store(corner, self.inputs.corner(at[1] - p * PATTERN_STEP), [0])
                T.buffer_store(at, self.lists(at[0] + 1), [1])
                self._kernel(pattern, corner[0], at[2], i)
                T.buffer_store(at, at[0] + 1, [0])
                T.buffer_store(at, at[2] + len(pattern) * self.group // self.unit, [2])

    def _kernel(self, pattern: Pattern, corner: Expr, at: Expr, i: int) -> None:
        weights = self._weights(len(pattern) * self.group, at)
        held = T.alloc_buffer((self.schedule.columns,), "float32", scope="local")
        for (y, unit), values in lane_reads(pattern, self.window, self.schedule).items():
            self.inputs.read(held, corner, y, unit)
            for (value, uses), f in itertools.product(values.items(), range(self.group)):
                for tap, row, column in uses:
                    self._add(weights[tap * self.group + f], held[value], (i, f, row, column))

    def _weights(self, count: int, at: Expr) -> Buffer:
        held = T.alloc_buffer((count,), "float32", scope="local")
        for v in range(0, count, self.unit):
            if self.unit == 1:
                T.buffer_store(held, self.weight(at + v), [v])
            else:
                vector = Ramp((at + v // self.unit) * self.unit, 1, self.unit)
                T.buffer_store(held, self.weight(vector), [Ramp(v, 1, self.unit)])
        return held

    def _add(self, weight: Expr, value: Expr, of: tuple[int, int, int, int]) -> None:
        i, f, row, column = of
        s = self.schedule
        at = ((i * self.group + f) * s.rows + row) * s.columns + column
        T.buffer_store(self.sums[at], self.sums[at][0] + weight * value, [0])


def lane_reads(
    pattern: Pattern, window: Window, schedule: GpuSchedule
) -> dict[tuple[int, int], dict[int, list[Use]]]:
    """Returns what a lane loads of one channel, and what each value of a load is for.

    Returns:
        For (row of the tile, column in units of the schedule's columns) the uses of each of
        the values that are loaded there.
    """
    reads: dict[tuple[int, int], dict[int, list[Use]]] = {}
    rows, columns = range(schedule.rows), range(schedule.columns)
    for (tap, (y, x)), row, column in itertools.product(enumerate(pattern.taps), rows, columns):
        at_y = row * window.stride[0] + y * window.dilation[0]
        at_x = column * window.stride[1] + x * window.dilation[1]
        load = reads.setdefault((at_y, at_x // schedule.columns), {})
        load.setdefault(at_x % schedule.columns, []).append((tap, row, column))
    return dict(sorted(reads.items()))
