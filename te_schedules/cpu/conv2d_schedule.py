"""How a convolution is computed: the tile in registers, and how work is shared out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Conv2dSchedule", "Hold", "Outer"]


class Hold(Enum):
    """What stays in registers while a kernel is applied to a tile."""

    WEIGHTS = "weights"  # few taps, such as a pattern's: each input vector is loaded once
    INPUTS = "inputs"  # many weights: a row or all of the inputs, each weight is loaded once


class Outer(Enum):
    """What a thread computes of all its filters before it goes on.

    The inputs of it, of all channels, should stay in the L2 cache while the filters go by;
    the more it is, the longer are the stretches in which each output plane is written.
    """

    TILE = "tile"
    ROW = "row"  # of tiles
    PLANE = "plane"


@dataclass(frozen=True, kw_only=True)
class Conv2dSchedule:
    """One point of the schedule space.

    Attributes:
        rows, vectors: the tile of output vectors whose sums stay in registers.
        group: filters computed together from one list of kernels.
        hold: what else stays in registers.
        outer: what is computed of all filters at a time.
        band: channels whose inputs of a tile stay in a cache while the filters go
            by, with the sums in memory between bands; None takes all channels at once.
        chunks: ranges of groups that different threads take.
        copy_inputs: whether a tile's inputs are first copied next to each other, of all
            channels or of a band; then they fill a cache without gaps.
    """

    rows: int
    vectors: int
    group: int = 1
    hold: Hold = Hold.WEIGHTS
    outer: Outer = Outer.TILE
    band: int | None = None
    chunks: int = 1
    copy_inputs: bool = False

    @property
    def whole_planes(self) -> bool:
        """Whether a plane is finished before the next is begun, as a kernel behind it needs."""
        return self.outer is Outer.PLANE

    def __post_init__(self) -> None:
        if self.band and self.outer is not Outer.TILE:
            raise ValueError(
                f"band={self.band}: needs outer=Outer.TILE, got {self.outer}; between "
                "bands the sums of one tile are kept, not those of several"
            )
        if self.copy_inputs and self.outer is not Outer.TILE:
            raise ValueError(
                f"copy_inputs=True: needs outer=Outer.TILE, got {self.outer}; the inputs of one "
                "tile are copied, not those of several"
            )
