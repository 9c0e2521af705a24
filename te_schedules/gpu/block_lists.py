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
LOADED = 4  # weights that are loaded together at most
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
        unit = LOADED if all(n * fkw.group % LOADED == 0 for n in fkw.entries) else 1
        share = _Shares.of(fkw, schedule)
        lists = np.full((*share.shape, share.most_kernels), END, np.int32)
        weight = np.zeros((*share.shape, share.most_weights), np.float32)
        used = np.flatnonzero(share.used)
        block, window = share.block[used], share.window[used]
        header = HEADER * share.position[used]
        lists[block, window, header] = share.kernel_begin[used]
        lists[block, window, header + 1] = share.weight_begin[used] // unit
        slot, at = _places(np.diff(fkw.offset), share.kernel_begin)
        lists[share.block[slot], share.window[slot], at] = _numbers(fkw, schedule, slot, channel)
        slot, at = _places(np.diff(fkw.weight_offset), share.weight_begin)
        weight[share.block[slot], share.window[slot], at] = fkw.weight
        return cls(first=share.first, cuts=share.cuts, lists=lists, weight=weight, unit=unit)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Shares:
    """Where the list of each slot stands; arrays of (slots,) unless said.

    Attributes:
        shape: blocks, and the windows of each.
        used: whether the block visits the slot's window at all.
        block, window, position: of the slot; windows are counted from the block's first.
        kernel_begin, weight_begin: in the share of its block.
    """

    first: np.ndarray
    cuts: np.ndarray
    shape: tuple[int, int]
    used: np.ndarray
    block: np.ndarray
    window: np.ndarray
    position: np.ndarray
    kernel_begin: np.ndarray
    weight_begin: np.ndarray
    most_kernels: int
    most_weights: int

    @classmethod
    def of(cls, fkw: FKW, schedule: GpuSchedule) -> _Shares:
        of_block = schedule.block_groups
        starts = np.arange(-(-fkw.groups // of_block)) * of_block
        grid = (fkw.bands, fkw.groups)
        kernels, weights = (np.diff(each).reshape(grid) for each in (fkw.offset, fkw.weight_offset))
        first, last = _visited(np.add.reduceat(kernels, starts, axis=1) > 0)
        count = last - first
        window, group = (each.reshape(-1) for each in np.indices(grid))
        block = group // of_block
        kernel_begin = _begins(kernels + 1, starts) + HEADER * of_block
        weight_begin = _begins(weights, starts)
        most_weights = int((weight_begin + weights).max())
        return cls(
            first=first.astype(np.int32),
            cuts=(np.arange(schedule.splits + 1) * count[:, None] // schedule.splits).astype(
                np.int32
            ),
            shape=(len(starts), int(count.max())),
            used=(first[block] <= window) & (window < last[block]),
            block=block,
            window=window - first[block],
            position=group % of_block,
            kernel_begin=kernel_begin.reshape(-1),
            weight_begin=weight_begin.reshape(-1),
            most_kernels=int((kernel_begin + kernels + 1).max()),
            most_weights=max(LOADED, -(-most_weights // LOADED) * LOADED),
        )


def _visited(used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first window of each block, and the one behind its last.

    All windows are visited unless blocks have few of them, as in a grouped convolution.

    Args:
        used: (windows, blocks) bool, where there are kernels.
    """
    windows, any_used = len(used), used.any(axis=0)
    first = np.where(any_used, used.argmax(axis=0), 0)
    last = np.where(any_used, windows - used[::-1].argmax(axis=0), 1)
    if (last - first).max() * 2 > windows:
        return np.zeros_like(first), np.full_like(last, windows)
    return first, last


def _places(sizes: np.ndarray, begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns for each value of lists of these sizes its list, and its place in the share."""
    of = np.repeat(np.arange(len(sizes)), sizes)
    return of, begins[of] + np.arange(len(of)) - (np.cumsum(sizes) - sizes)[of]


def _numbers(fkw: FKW, schedule: GpuSchedule, slot: np.ndarray, channel: int) -> np.ndarray:
    """Returns the numbers of all kernels, in FKW's order."""
    stride = fkw.stride.astype(np.int64)
    runs = stride[:, 1:] - stride[:, :-1]
    pattern = np.repeat(np.tile(np.arange(fkw.runs), len(runs)), runs.reshape(-1))
    in_window = fkw.index.astype(np.int64) - slot // fkw.groups * schedule.window
    return pattern * PATTERN_STEP + in_window * channel


def _begins(sizes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Returns (windows, groups): what a block has before each of its groups."""
    before = np.cumsum(sizes, axis=1) - sizes
    blocks = np.append(starts[1:], sizes.shape[1]) - starts
    return before - np.repeat(before[:, starts], blocks, axis=1)
