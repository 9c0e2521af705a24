"""How a convolution of bytes is computed from transformed tiles, as logs read it, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from te_schedules.count_checks import check_counts

__all__ = ["TileSchedule"]


@dataclass(frozen=True, kw_only=True)
class TileSchedule:
    """One point of what tuning chooses from.

    Attributes:
        height, width: of a tile of outputs that one transform gives.
        rows: of tiles that are transformed at a time.
        group: filters multiplied together, which share the loads of inputs.
        together: vectors of tiles multiplied together, which share the loads of weights.
        chunks: ranges of groups of filters that different threads take.
    """

    height: int
    width: int
    rows: int
    group: int
    together: int
    chunks: int = 1

    def __post_init__(self) -> None:
        check_counts(vars(self))

    def __str__(self) -> str:
        return (
            f"dense, winograd {self.height}x{self.width}, blocks of {self.rows} rows, "
            f"group {self.group}, together {self.together}, chunks {self.chunks}"
        )

    @property
    def sparse(self) -> bool:
        """Whether pruned work is skipped: never, here."""
        return False

    def to_json(self) -> dict[str, Any]:
        """Returns the fields as JSON has them."""
        return {"sparse": False, **asdict(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TileSchedule:
        """Reads what ``to_json`` returned.

        Raises:
            ValueError, TypeError, KeyError: it is something else.
        """
        fields = dict(values)
        if fields.pop("sparse") is not False:
            raise ValueError(
                f"sparse is {values['sparse']!r}, expected false: transforms are dense"
            )
        return cls(**fields)
