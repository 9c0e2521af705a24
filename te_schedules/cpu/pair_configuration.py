"""One point of what tuning chooses from for a convolution and the depthwise one in its kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from te_schedules.cpu.conv2d_configuration import VERSION as CONV2D_VERSION
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration

__all__ = ["FAMILY", "VERSION", "PairConfiguration"]

FAMILY = "cpu conv2d and depthwise float32"
VERSION = CONV2D_VERSION  # the code of both is that of convolutions

_SECOND = "depthwise "  # before the names of its choices


@dataclass(frozen=True, kw_only=True)
class PairConfiguration:
    """How both are stored and computed.

    Attributes:
        first: it computes a plane at a time, which the depthwise convolution reads at once.
    """

    first: Conv2dConfiguration
    depthwise: Conv2dConfiguration

    def __post_init__(self) -> None:
        if not self.first.schedule.whole_planes:
            raise ValueError(
                f"the first is '{self.first}', expected outer plane: the depthwise convolution "
                "reads whole planes"
            )

    @property
    def sparse(self) -> bool:
        """Whether pruned work of the first is skipped."""
        return self.first.sparse

    def __str__(self) -> str:
        return f"{self.first}; depthwise: {self.depthwise}"

    def to_json(self) -> dict[str, Any]:
        """Returns the fields as JSON has them."""
        second = {f"{_SECOND}{name}": value for name, value in self.depthwise.to_json().items()}
        return self.first.to_json() | second

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PairConfiguration:
        """Reads what ``to_json`` returned.

        Raises:
            ValueError, TypeError, KeyError: it is something else.
        """
        second = {n.removeprefix(_SECOND): v for n, v in values.items() if n.startswith(_SECOND)}
        first = {n: v for n, v in values.items() if not n.startswith(_SECOND)}
        return cls(
            first=Conv2dConfiguration.from_json(first),
            depthwise=Conv2dConfiguration.from_json(second),
        )
