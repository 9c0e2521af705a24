"""What the compiler does to a convolution; each can be left out, to see its worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Optimizations"]


@dataclass(frozen=True, kw_only=True)
class Optimizations:
    """The steps of PatDNN's compiler (section 6, figures 13 to 16). All are on by default.

    Attributes:
        sparse: skip what was pruned; else every layer is computed as if it were dense.
        patterns: store kernels by their patterns; else each kept weight by itself with its
            channel and its tap, as a generic sparse matrix (CSR) does, whatever the rest says.
        reorder: filter-kernel reorder; else filters and kernels stay in the model's order,
            and no loads are shared.
        share_loads: load redundancy elimination: the taps of a kernel share what they load.
        tune: the schedule that tuning records or the cost model prefer; else a fixed one.
        transforms: 3x3 layers that are computed as if they were dense may be by Winograd's
            transforms, whose weights take up to 4 times the room, in int8 up to 8 times; else by
            plain sums.
    """

    sparse: bool = True
    patterns: bool = True
    reorder: bool = True
    share_loads: bool = True
    tune: bool = True
    transforms: bool = True

    @property
    def complete(self) -> bool:
        """Whether nothing is left out of what is done to a pruned layer."""
        return replace(self, transforms=True) == Optimizations()
