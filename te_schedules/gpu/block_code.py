"""Emits the code of a block of a convolution: its launch, its sums, and their way out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.gpu.block_windows import BlockWindows, lane_place
from te_schedules.gpu.conv2d_binding import GpuConv2d
from te_schedules.gpu.epilogue import bind_operands, store_result
from te_schedules.tir_function import Expr, when

__all__ = ["BlockCode"]

RESIDENT = "tirx.launch_bounds_min_blocks_per_sm"  # without it nvcc may spill to have more


class BlockCode:
    """The code of a block.

    Args:
        data: the input.
        stored: the constants of the kernel, by name.
        operands: of the epilogue.
        output: the result, or where channels are split the sums of all splits.
    """

    def __init__(
        self,
        kernel: GpuConv2d,
        data: Buffer,
        stored: Mapping[str, Buffer],
        operands: Sequence[Buffer],
        output: Buffer,
    ) -> None:
        self._kernel, self._data, self._stored, self._output = kernel, data, stored, output
        self._steps = bind_operands(kernel.steps, operands) if kernel.splits == 1 else []

    def emit(self) -> None:
        """Emits it, with the launch."""
        kernel, schedule, geometry = self._kernel, self._kernel.schedule, self._kernel.geometry
        down, across = schedule.tiles(geometry.out_size)
        with (
            T.launch_thread("blockIdx.y", geometry.batch * kernel.blocks * kernel.splits) as row,
            T.launch_thread("blockIdx.x", down * across) as at,
            T.launch_thread("threadIdx.y", schedule.warps) as warp,
            T.launch_thread("threadIdx.x", schedule.lanes) as lane,
            T.attr(0, RESIDENT, schedule.resident),
        ):
            split, block = row % kernel.splits, row // kernel.splits % kernel.blocks
            n = row // kernel.splits // kernel.blocks
            top, left = at // across * schedule.tile[0], at % across * schedule.tile[1]
            sums = self._zero_sums()
            windows = BlockWindows(
                kernel=kernel,
                data=self._data,
                stored=self._stored,
                sums=sums,
                n=n,
                block=block,
                thread=warp * schedule.lanes + lane,
                lane=lane,
                top=top,
                left=left,
            )
            windows.emit(*self._windows(block, split))
            self._finish(sums, n, split, block * schedule.warps + warp, lane, top, left)

    def _zero_sums(self) -> list[Buffer]:
        kernel, s = self._kernel, self._kernel.schedule
        count = s.groups * kernel.fkw.group * s.rows * s.columns
        sums = [T.alloc_buffer((1,), "float32", scope="local") for _ in range(count)]
        for each in sums:
            T.buffer_store(each, T.float32(0), [0])
        return sums

    def _windows(self, block: Expr, split: Expr) -> tuple[Expr, Expr, Expr]:
        """Returns a split's windows, counted from the block's first, and that one."""
        shares, splits = self._kernel.shares, self._kernel.splits
        if shares.same_cuts:
            count = int(shares.cuts[0, -1])
            if splits == 1:
                return T.int32(0), T.int32(count), T.int32(0)
            return split * count // splits, (split + 1) * count // splits, T.int32(0)
        cuts = self._stored["cuts"]
        return cuts[block, split], cuts[block, split + 1], self._stored["first"][block]

    def _finish(
        self,
        sums: Sequence[Buffer],
        n: Expr,
        split: Expr,
        warp: Expr,
        lane: Expr,
        top: Expr,
        left: Expr,
    ) -> None:
        """Stores the sums: with the epilogue, or as they are for ``sum_parts``."""
        kernel, s = self._kernel, self._kernel.schedule
        group, (height, width) = kernel.fkw.group, kernel.geometry.out_size
        strip, lane_x = lane_place(s, lane)
        used = [] if s.strips * s.lanes_x == s.lanes else [lane < s.strips * s.lanes_x]
        for i, f in itertools.product(range(s.groups), range(group)):
            first = warp * s.groups + i
            with when(first < kernel.fkw.groups, *used):
                channel = self._stored["reorder"][first * group + f]
                for r, c in itertools.product(range(s.rows), range(s.columns)):
                    y, x = top + strip * s.rows + r, left + lane_x * s.columns + c
                    value = sums[((i * group + f) * s.rows + r) * s.columns + c][0]
                    with when(y < height, x < width):
                        at = y * width + x
                        if kernel.splits > 1:
                            T.buffer_store(self._output, value, [split, n, channel, 0, at])
                        else:
                            store_result(self._output, self._steps, value, (n, channel, at))
