"""One point of what tuning chooses from for a convolution on a GPU, as people and logs read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from te_schedules.count_checks import check_counts
from te_schedules.gpu.conv2d_schedule import GpuSchedule

__all__ = ["FAMILY", "VERSION", "GpuConv2dConfiguration"]

FAMILY = "gpu conv2d"
VERSION = 1  # raised when the same configuration becomes other code


@dataclass(frozen=True, kw_only=True)
class GpuConv2dConfiguration:
    """How one convolution is stored and computed.

    Attributes:
        sparse: whether pruned work is skipped.
        group: filters that share a list of kernels.
    """

    sparse: bool
    group: int
    schedule: GpuSchedule

    def __str__(self) -> str:
        s = self.schedule
        columns = f" x {s.columns} columns" if s.columns > 1 else ""
        splits = f", channels in {s.splits} parts" if s.splits > 1 else ""
        return (
            f"{'sparse' if self.sparse else 'dense'}, group {self.group}, {s.lanes_x} of {s.lanes} "
            f"lanes abreast x {s.rows} rows{columns}, {s.warps} warps x {s.groups}, window "
            f"{s.window}{'' if s.staged else ' unstaged'}{splits}, {s.resident} resident"
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the fields as JSON has them."""
        return {"sparse": self.sparse, "group": self.group, **asdict(self.schedule)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> GpuConv2dConfiguration:
        """Reads what ``to_json`` returned.

        Raises:
            ValueError, TypeError, KeyError: it is something else.
        """
        fields = dict(values)
        choices = {"sparse": fields.pop("sparse"), "staged": fields.pop("staged", True)}
        for name, value in choices.items():
            if type(value) is not bool:
                raise ValueError(f"{name} is {value!r}, expected a bool")
        check_counts(fields)
        group, sparse = fields.pop("group"), choices.pop("sparse")
        return cls(sparse=sparse, group=group, schedule=GpuSchedule(**fields, **choices))
