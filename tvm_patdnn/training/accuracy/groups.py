"""Groups rows of training runs that differ in their seed or machine only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from tvm_patdnn.training.accuracy.configuration import (
    attributes,
    configuration,
    pair_key,
    subject,
)
from tvm_patdnn.training.rows import TrainRow

__all__ = ["Group", "differences", "find_groups", "latest", "the_one_with"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """Runs of one configuration, of different seeds or machines."""

    rows: Sequence[TrainRow]

    @property
    def first(self) -> TrainRow:
        """One of the rows, for what they have in common."""
        return self.rows[0]

    @property
    def top1(self) -> list[float]:
        """At the end, in percent, of each run."""
        return [row.top1_pruned for row in self.rows]

    @property
    def compression_3x3(self) -> float:
        """Of the 3x3 layers to prune, by weights; the mean over the runs."""
        return mean(row.compression_3x3 for row in self.rows)

    @property
    def compression_macs(self) -> float:
        """Of all convolutions; the mean over the runs."""
        return mean(row.compression_macs for row in self.rows)


def latest(rows: Sequence[TrainRow]) -> list[TrainRow]:
    """Returns the rows by subject, of equal runs only the last."""
    last = {(subject(row), configuration(row), pair_key(row)): row for row in rows}
    return sorted(last.values(), key=subject)


def find_groups(rows: Sequence[TrainRow]) -> list[Group]:
    """Groups the rows of one subject: the most compressed first, the dense ones last."""
    by_configuration: dict[tuple[object, ...], list[TrainRow]] = {}
    for row in rows:
        by_configuration.setdefault(configuration(row), []).append(row)
    groups = [Group(rows=sorted(found, key=pair_key)) for found in by_configuration.values()]
    return sorted(groups, key=_place)


def differences(group: Group, other: Group | None) -> list[float]:
    """Returns the points of top-1 above ``other``, of the pairs of one seed and machine."""
    found = {} if other is None else {pair_key(row): row.top1_pruned for row in other.rows}
    return [r.top1_pruned - found[pair_key(r)] for r in group.rows if pair_key(r) in found]


def the_one_with(groups: Sequence[Group], wanted: dict[str, object]) -> Group | None:
    """Returns the group whose attributes are these."""
    return next((group for group in groups if attributes(group.first) == wanted), None)


def _place(group: Group) -> tuple[float, float]:
    dense = group.first.method == "dense"
    return -round(group.compression_macs, 1) * (not dense), -mean(group.top1)
