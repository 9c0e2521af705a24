"""How a convolution is computed from transformed tiles, and how work is shared out."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WinogradSchedule"]


@dataclass(frozen=True, kw_only=True)
class WinogradSchedule:
    """One point of the space of schedules.

    Attributes:
        rows, vectors: the tile of output vectors that one transform gives.
        group: filters multiplied together, which share the loads of inputs.
        together: tiles multiplied together, which share the loads of weights.
        units: of tiles multiplied together that are transformed at a time; all filters of
            these are computed before the next.
        chunks: ranges of groups that different threads take.
    """

    rows: int
    vectors: int
    group: int
    together: int
    units: int
    chunks: int = 1

    def __str__(self) -> str:
        return (
            f"winograd {self.rows}x{self.vectors}, group {self.group}, together {self.together}, "
            f"units {self.units}, chunks {self.chunks}"
        )

    @property
    def transforms(self) -> bool:
        """Whether anything is transformed, and not only packed."""
        return self.rows * self.vectors > 1

    @property
    def whole_planes(self) -> bool:
        """Whether a plane is finished before the next is begun: never, here."""
        return False
