"""One point of what tuning chooses from for a convolution, as people and logs read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, TypeAlias

from te_schedules.count_checks import check_counts
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.winograd_schedule import WinogradSchedule

__all__ = ["FAMILY", "VERSION", "AnySchedule", "Conv2dConfiguration"]

FAMILY = "cpu conv2d float32"
VERSION = 4  # raised when the same configuration becomes other code

AnySchedule: TypeAlias = Conv2dSchedule | WinogradSchedule

_CHOICES: dict[str, type[Enum]] = {"hold": Hold, "outer": Outer}


@dataclass(frozen=True, kw_only=True)
class Conv2dConfiguration:
    """How one convolution is stored and computed.

    Attributes:
        sparse: whether pruned work is skipped.
    """

    sparse: bool
    schedule: AnySchedule

    def __str__(self) -> str:
        schedule = self.schedule
        if isinstance(schedule, WinogradSchedule):
            return f"dense, {schedule}"
        band = f", band {schedule.band}" if schedule.band else ""
        return (
            f"{'sparse' if self.sparse else 'dense'}, tile {schedule.rows}x{schedule.vectors}, "
            f"group {schedule.group}, hold {schedule.hold.value}, outer {schedule.outer.value}"
            f"{band}, chunks {schedule.chunks}{', inputs copied' if schedule.copy_inputs else ''}"
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the fields as JSON has them."""
        values = asdict(self.schedule)
        return {
            "sparse": self.sparse,
            **{n: v.value if isinstance(v, Enum) else v for n, v in values.items()},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Conv2dConfiguration:
        """Reads what ``to_json`` returned.

        Raises:
            ValueError, TypeError, KeyError: it is something else.
        """
        fields = dict(values)
        sparse = fields.pop("sparse")
        if type(sparse) is not bool:
            raise ValueError(f"sparse is {sparse!r}, expected a bool")
        schedule = _schedule(fields)
        _check_counts(schedule)
        return cls(sparse=sparse, schedule=schedule)


def _schedule(fields: dict[str, Any]) -> AnySchedule:
    if "units" in fields:
        return WinogradSchedule(**fields)
    for name, kind in _CHOICES.items():
        fields[name] = kind(fields[name])
    return Conv2dSchedule(**fields)


def _check_counts(schedule: AnySchedule) -> None:
    for name, value in vars(schedule).items():
        if name in _CHOICES or (name == "band" and value is None):
            continue
        if name == "copy_inputs":
            if type(value) is not bool:
                raise ValueError(f"{name} is {value!r}, expected a bool")
            continue
        check_counts({name: value})
