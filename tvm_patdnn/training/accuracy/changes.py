"""What one change costs: groups that differ in one attribute only, paired by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tvm_patdnn.training.accuracy.configuration import attributes
from tvm_patdnn.training.accuracy.groups import Group, differences, the_one_with
from tvm_patdnn.training.accuracy.names import blocks_text, name, rate_text, rewind_text
from tvm_patdnn.training.rows import TrainRow

__all__ = ["Change", "find_changes", "like_dense"]

_USUAL_PATTERNS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """One attribute of a run with another value.

    Attributes:
        what: the change, for people.
        where: all else.
        points: of top-1 by it, of each pair.
    """

    what: str
    where: str
    points: Sequence[float]


def find_changes(groups: Sequence[Group]) -> list[Change]:
    """Finds, for each group, the groups that it differs from in one attribute.

    Only changes away from what is usual count: single filters, 8 patterns, kernels that
    compete in their layer at one rate, no teacher, or one in retraining only, and retraining
    of what pruning left.
    """
    found = []
    for group in groups:
        for what, attribute, usual in _changes(group.first):
            base = the_one_with(groups, {**attributes(group.first), attribute: usual})
            points = differences(group, base)
            if base is not None and points:
                where = ", ".join(filter(None, (name(base.first), rate_text(base.first))))
                found.append(Change(what=what, where=where, points=points))
    return found


def like_dense(row: TrainRow, *, teacher: bool) -> dict[str, object]:
    """Returns the attributes of the dense control of a run.

    Args:
        teacher: whether it has the run's teacher, or none.
    """
    own = attributes(row)
    return {
        **{"method": "dense", "epochs": own["epochs"]},
        "teacher": own["teacher"] if teacher else _NO_TEACHER,
        **{
            "taught while pruning": False,
            "rewind": None,
            "patterns": None,
            "connectivity": 1.0,
            "rates": (),
        },
        **{"scope": "layer", "blocks": _SINGLE, "settings": ()},
    }


_NO_TEACHER = (0.0, "")
_SINGLE = (1, "neighbours")


def _changes(row: TrainRow) -> Iterator[tuple[str, str, object]]:
    """Yields the changes of a run: in words, the attribute, and its usual value."""
    own = attributes(row)
    if own["blocks"] != _SINGLE:
        yield blocks_text(row), "blocks", _SINGLE
    if own["blocks"] == (row.filter_block, "similar"):
        yield f"{blocks_text(row)} instead of neighbours", "blocks", (row.filter_block, _SINGLE[1])
    if own["patterns"] not in (None, (_USUAL_PATTERNS, row.entries)):
        yield f"{row.patterns} patterns", "patterns", (_USUAL_PATTERNS, row.entries)
    if own["scope"] != "layer":
        yield f"{row.scope} connectivity", "scope", "layer"
    if own["rates"]:
        yield "rates by layer", "rates", ()
    if own["teacher"] != _NO_TEACHER:
        yield f"teacher {row.teacher or 'that is its own dense network'}", "teacher", _NO_TEACHER
    if own["taught while pruning"]:
        yield "the teacher in the pruning phase, too", "taught while pruning", False
    if row.rewind is not None:
        yield rewind_text(row), "rewind", None
