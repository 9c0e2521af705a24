"""How a convolution is computed: the tile in registers, and how work is shared out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Conv2dSchedule", "Hold"]


class Hold(Enum):
    """What stays in registers while a kernel is applied to a tile."""

    WEIGHTS = "weights"  # few taps, such as a pattern's: each input vector is loaded once
    INPUTS = "inputs"  # many weights: a row of inputs is kept, each weight is loaded once


@dataclass(frozen=True, kw_only=True)
class Conv2dSchedule:
    """One point of the schedule space.

    Attributes:
        rows, vectors: the tile of output vectors whose sums stay in registers.
        group: filters computed together from one list of kernels.
        hold: what else stays in registers.
        chunks: runs of filters that different threads take.
    """

    rows: int
    vectors: int
    group: int = 1
    hold: Hold = Hold.WEIGHTS
    chunks: int = 1
