"""Writes docs/accuracy.md from measured rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from statistics import mean

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.accuracy_groups import (
    Group,
    configuration,
    constraint_findings,
    find_groups,
    rate_text,
    signed,
    spread,
    subject,
    tell_apart,
)
from tvm_patdnn.training.rows import TrainRow
from tvm_patdnn.whole_file import write_whole

__all__ = ["accuracy_page", "write_report"]

_INTRODUCTION = """\
# Accuracy of pruned networks

Written by `tvm-patdnn train --report` from the rows that `tvm-patdnn train --json` measured;
do not edit. Top-1 is on all test images at the end of the run, in percent; no epoch was
chosen by it. "Against dense" compares with the dense network of the same seed, trained for
the same total number of epochs by the same schedule without a teacher, in points. Compression
counts all convolutions, the first one too, which stays dense: dense over kept
multiply-accumulates, or weights. "± " is the standard deviation over seeds.
"""
_JPEG = """\
"(JPEG)" means that the images were re-encoded as JPEG, which costs detail: compare these
numbers with each other, not with published ones.
"""
_HEADER = (
    *("method", "connectivity", "seeds", "top-1", "against dense", "before retraining"),
    *("compression by MACs", "by weights", "of 3x3 layers"),
)


def write_report(rows: Sequence[TrainRow], page: Path) -> None:
    """Writes the page.

    Args:
        rows: of any networks and methods; of equal runs the last counts.
        page: the file to write.

    Raises:
        TrainingError: there are no rows.
        BuildError: the file cannot be written.
    """
    if not rows:
        raise TrainingError(f"{page}: there are no rows to report")
    with write_whole(page) as partial:
        partial.write_text(accuracy_page(rows), encoding="utf-8")


def accuracy_page(rows: Iterable[TrainRow]) -> str:
    """Returns the page as Markdown."""
    latest = list({(subject(row), configuration(row), row.seed): row for row in rows}.values())
    latest.sort(key=subject)
    lines = [_INTRODUCTION]
    if any("(JPEG)" in row.data for row in latest):
        lines.append(_JPEG)
    for _, found in groupby(latest, key=subject):
        lines += _section(list(found))
    return "\n".join(lines)


def _section(rows: Sequence[TrainRow]) -> list[str]:
    first = rows[0]
    groups = find_groups(rows)
    phases = sorted({(r.dense_epochs, r.prune_epochs, r.retrain_epochs) for r in rows})
    spelled = "; ".join(f"{d} dense, {p} pruning, {r} retraining" for d, p, r in phases)
    baseline = {(row.seed, row.top1_dense): row for row in rows}
    return [
        f"## {first.network.partition(':')[2] or first.network}, {first.data}, "
        f"{first.train_images:,} training images, {first.epochs} epochs",
        "",
        f"Epochs: {spelled}. The pretrained dense network that the runs start from has "
        f"{spread([row.top1_dense for row in baseline.values()])} top-1.",
        "",
        *_table([_HEADER, *map(_cells, tell_apart(groups), groups)]),
        "",
        *constraint_findings(groups),
        *_how(groups),
    ]


def _cells(name: str, group: Group) -> tuple[str, ...]:
    row = group.first
    dense = row.method == "dense"
    return (
        name,
        "" if dense else rate_text(row),
        str(len(group.rows)),
        spread(group.top1),
        "" if dense and not row.distill else signed(group.against),
        "" if dense else spread([r.top1_projected for r in group.rows]),
        f"{group.compression_macs:.2f}x",
        f"{mean(r.compression_weights for r in group.rows):.2f}x",
        f"{mean(r.compression_3x3 for r in group.rows):.2f}x",
    )


def _how(groups: Sequence[Group]) -> list[str]:
    rows = [row for group in groups for row in group.rows]
    devices = "; ".join(sorted({row.device for row in rows}))
    versions = sorted({f"{name} {text}" for row in rows for name, text in row.versions.items()})
    dates = sorted(row.date[:10] for row in rows)
    commands = [f"    {group.first.command}" for group in groups]
    return [
        f"Computed on {devices}; {', '.join(versions)}; {dates[0]} to {dates[-1]}. "
        "Commands, of the first seed:",
        "",
        *commands,
        "",
    ]


def _table(cells: Sequence[Sequence[str]]) -> list[str]:
    header, *rows = (f"| {' | '.join(line)} |" for line in cells)
    rule = "|" + "|".join(["---"] * 2 + ["--:"] * (len(cells[0]) - 2)) + "|"
    return [header, rule, *rows]
