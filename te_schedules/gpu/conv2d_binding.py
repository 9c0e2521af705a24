"""All that determines the kernel of a convolution on a GPU, and what it is called with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from te_schedules.epilogue import Step
from te_schedules.gpu.block_lists import BlockLists
from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.gpu.conv2d_schedule import GpuSchedule
from te_schedules.gpu.epilogue import OperandSpec, operand_params
from te_schedules.gpu.shared_tile import SharedTile
from te_schedules.tir_function import Param
from tvm_patdnn.sparse.fkw import FKW

__all__ = ["GpuConv2d"]


@dataclass(frozen=True, kw_only=True)
class GpuConv2d:
    """All that determines the kernel of a convolution.

    Attributes:
        fkw: the stored kernels, in bands of the schedule's window.
        steps: the epilogue.
        storage: type of inputs, weights, operands and output; sums are float32.
    """

    geometry: GpuGeometry
    fkw: FKW
    schedule: GpuSchedule
    steps: Sequence[Step[OperandSpec]] = ()
    storage: str = "float32"

    @cached_property
    def tile(self) -> SharedTile:
        """Where the inputs of a block lie."""
        return SharedTile.of(self.geometry.window, self.schedule)

    @cached_property
    def shares(self) -> BlockLists:
        """The weight as blocks read it."""
        staged = self.schedule.staged
        channel = self.tile.channel // self.schedule.columns if staged else 1
        return BlockLists.of(self.fkw, self.schedule, channel)

    @property
    def splits(self) -> int:
        """Parts of the sums that are computed apart: with more than one there are two kernels."""
        return self.schedule.splits

    @property
    def blocks(self) -> int:
        """Blocks over all filters, for one tile of one image."""
        return -(-self.fkw.groups // self.schedule.block_groups)

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """The constants that the kernel takes, by name and in order."""
        shares = self.shares
        found = {
            "reorder": self.fkw.reorder.astype(np.int32),
            "lists": shares.lists,
            "weight": shares.weight.astype(self.storage),
        }
        if not shares.same_cuts:
            found |= {"first": shares.first, "cuts": shares.cuts}
        return found

    @property
    def parts_shape(self) -> tuple[int, ...]:
        """Of the sums of each split, float32."""
        return (self.splits, *self.geometry.out_shape)

    @property
    def operands(self) -> list[Param]:
        """The parameters for the operands of the steps."""
        return operand_params(self.steps, self.geometry.out_shape, self.storage)
