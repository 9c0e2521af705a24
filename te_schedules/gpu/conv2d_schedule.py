"""How the work of a convolution is shared out on a GPU."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GpuSchedule"]


@dataclass(frozen=True, kw_only=True)
class GpuSchedule:
    """One point of the schedule space.

    A warp computes one tile of the plane for some groups of filters: all of its lanes take the
    same branches and read the same weights. The warps of a block share the tile's inputs.

    Attributes:
        lanes: of a warp.
        lanes_x: lanes side by side; as many strips of lanes lie below each other as there are
            lanes for.
        rows, columns: output pixels of a lane. Where there are 2 columns the inputs of both
            are loaded together.
        warps: of a block, each with filters of its own.
        groups: of filters that a warp computes, one after the other from the same inputs.
        window: channels in shared memory at a time, or whose lists stand together.
        splits: parts into which the channels are divided, each for a block of its own; a
            second kernel adds what they computed.
        staged: whether a window's inputs, lists and weights are brought to shared memory; else all
            are read through the cache, and threads never wait for each other.
        resident: blocks that a multiprocessor shall have room for at a time. A compiler for CUDA
            gives threads as many registers as that leaves; others are not told.
    """

    lanes: int = 32
    lanes_x: int
    rows: int
    columns: int = 1
    warps: int
    groups: int = 1
    window: int
    splits: int = 1
    staged: bool = True
    resident: int = 1

    @property
    def threads(self) -> int:
        """Of a block."""
        return self.lanes * self.warps

    @property
    def strips(self) -> int:
        """Strips of lanes below each other."""
        return self.lanes // self.lanes_x

    @property
    def block_groups(self) -> int:
        """Groups of filters that a block computes."""
        return self.warps * self.groups

    @property
    def tile(self) -> tuple[int, int]:
        """Output rows and columns of a warp."""
        return self.strips * self.rows, self.lanes_x * self.columns

    def tiles(self, out_size: tuple[int, int]) -> tuple[int, int]:
        """Tiles that cover a plane, down and across."""
        return -(-out_size[0] // self.tile[0]), -(-out_size[1] // self.tile[1])
