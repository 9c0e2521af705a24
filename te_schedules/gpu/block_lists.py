"""A packed weight, cut into what each block of a GPU needs for each window of channels.

FKW has the kernels of a filter in the order of their patterns. Here the lists of the filters of
a block stand together, and every share is as long as the longest, so that a block knows without
looking where its share lies, and its threads copy it to shared memory with loads side by side.

A kernel is one number: its pattern, and where its channel begins in shared memory. So the code
of a pattern goes on while the next number is below the next pattern's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from te_schedules.gpu.conv2d_schedule import GpuSchedule
from tvm_patdnn.sparse.fkw import FKW

__all__ = ["PATTERN_STEP", "BlockLists"]

PATTERN_STEP = 1 << 16  # a kernel's number is its pattern times this, and its place
END = np.int32(np.iinfo(np.int32).max)  # behind the last kernel of a list
HEADER = 2  # numbers of each group before the kernels: where its kernels and its weights begin


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockLists:
    """What the blocks of a convolution read besides its input.

    Attributes:
        first: (blocks,) int32, the first window in which a block has kernels.
        cuts: (blocks, splits + 1) int32, at which of a block's windows each split begins.
        lists: (blocks, windows, length) int32: for each group where its kernels begin in here
            and its weights in ``weight``, in units; then the kernels.
        weight: (blocks, windows, length) float32.
        unit: weights that are loaded together.
    """

    first: np.ndarray
    cuts: np.ndarray
    lists: np.ndarray
    weight: np.ndarray
    unit: int

    @property
    def same_cuts(self) -> bool:
        """Whether all blocks visit the same windows."""
        return bool((self.first == 0).all() and (self.cuts == self.cuts[:1]).all())

    @classmethod
    def of(cls, fkw: FKW, schedule: GpuSchedule, channel: int) -> BlockLists:
        """Cuts ``fkw``, whose bands are the schedule's windows.

        Args:
            channel: how far apart channels begin in shared memory, in units of the place.
        """
        unit = 4 if all(n * fkw.group % 4 == 0 for n in fkw.entries) else 1
        share = _Shares.of(fkw, schedule)
        lists = np.full((*share.shape, share.most_kernels), END, np.int32)
        weight = np.zeros((*share.shape, share.most_weights), np.float32)
        for slot, block, window, position in share.slots:
            begin = share.kernel_begin[slot]
            kernels, weights = share.kernels[slot], share.weights[slot]
            lists[block, window, HEADER * position] = begin
            lists[block, window, HEADER * position + 1] = share.weight_begin[slot] // unit
            lists[block, window, begin : begin + kernels] = share.numbers(slot, channel)
            at = share.weight_begin[slot]
            source = int(fkw.weight_offset[slot])
            weight[block, window, at : at + weights] = fkw.weight[source : source + weights]
        return cls(first=share.first, cuts=share.cuts, lists=lists, weight=weight, unit=unit)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Shares:
    """Which lists stand where; arrays of (slots,) unless said."""

    fkw: FKW
    window: int
    first: np.ndarray
    cuts: np.ndarray
    shape: tuple[int, int]
    slots: list[tuple[int, int, int, int]]
    kernels: np.ndarray
    weights: np.ndarray
    kernel_begin: np.ndarray
    weight_begin: np.ndarray
    most_kernels: int
    most_weights: int

    @classmethod
    def of(cls, fkw: FKW, schedule: GpuSchedule) -> _Shares:
        groups, of_block = fkw.groups, schedule.block_groups
        blocks = -(-groups // of_block)
        kernels, weights = np.diff(fkw.offset), np.diff(fkw.weight_offset)
        grid = (fkw.bands, groups)
        starts = np.arange(blocks) * of_block
        used = np.add.reduceat(kernels.reshape(grid), starts, axis=1) > 0  # (windows, blocks)
        any_used = used.any(axis=0)
        first = np.where(any_used, used.argmax(axis=0), 0)
        last = np.where(any_used, fkw.bands - used[::-1].argmax(axis=0), 1)
        if (last - first).max() * 2 > fkw.bands:  # not the few windows of a grouped convolution
            first, last = np.zeros_like(first), np.full_like(last, fkw.bands)
        count = last - first
        cuts = np.arange(schedule.splits + 1) * count[:, None] // schedule.splits
        kernel_begin = _begins(kernels.reshape(grid) + 1, starts) + HEADER * of_block
        weight_begin = _begins(weights.reshape(grid), starts)
        slots = [
            (w * groups + g, g // of_block, w - int(first[g // of_block]), g % of_block)
            for w in range(fkw.bands)
            for g in range(groups)
            if first[g // of_block] <= w < last[g // of_block]
        ]
        return cls(
            fkw=fkw,
            window=schedule.window,
            first=first.astype(np.int32),
            cuts=cuts.astype(np.int32),
            shape=(blocks, int(count.max())),
            slots=slots,
            kernels=kernels,
            weights=weights,
            kernel_begin=kernel_begin.reshape(-1),
            weight_begin=weight_begin.reshape(-1),
            most_kernels=int((kernel_begin + kernels.reshape(grid) + 1).max()),
            most_weights=max(4, -(-int((weight_begin + weights.reshape(grid)).max()) // 4) * 4),
        )

    def numbers(self, slot: int, channel: int) -> np.ndarray:
        """Returns the numbers of a slot's kernels."""
        fkw, begin = self.fkw, int(self.fkw.offset[slot])
        index = fkw.index[begin : begin + int(self.kernels[slot])].astype(np.int64)
        place = (index - slot // fkw.groups * self.window) * channel
        pattern = np.repeat(np.arange(fkw.runs), np.diff(fkw.stride[slot].astype(np.int64)))
        return pattern * PATTERN_STEP + place


def _begins(sizes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Returns (windows, groups): what a block has before each of its groups."""
    before = np.cumsum(sizes, axis=1) - sizes
    return before - np.repeat(before[:, starts], np.diff(np.append(starts, sizes.shape[1])), axis=1)
