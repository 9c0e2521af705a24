"""The page of all runs: what each measured, where, and the command that repeats it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tvm_patdnn.training.accuracy.configuration import subject
from tvm_patdnn.training.accuracy.groups import Group, find_groups, latest
from tvm_patdnn.training.accuracy.markdown import network_name, table
from tvm_patdnn.training.accuracy.names import rate_text, tell_apart
from tvm_patdnn.training.rows import TrainRow

__all__ = ["runs_page"]

_INTRODUCTION = """\
# Runs behind the tables of accuracy

Written by `tvm-patdnn train --report`; do not edit. Top-1 in percent: of the pretrained dense
network that the run started from, right after the hard projection (batch norms settled), and at
the end.
"""
_HEADER = ("machine", "date", "seed", "dense", "projected", "end", "hours")


def runs_page(rows: Sequence[TrainRow]) -> str:
    """Returns the page as Markdown."""
    lines = [_INTRODUCTION]
    for _, found in groupby(latest(rows), key=subject):
        groups = find_groups(list(found))
        first = groups[0].first
        lines += [
            f"## {network_name(first)}, {first.data}, {first.train_images:,} training images, "
            f"{first.epochs} epochs",
            "",
        ]
        for title, group in zip(tell_apart([group.first for group in groups]), groups):
            lines += _group(title, group)
    return "\n".join(lines)


def _group(title: str, group: Group) -> list[str]:
    rate = rate_text(group.first)
    commands = dict.fromkeys(f"    {row.command}" for row in group.rows)
    return [
        f"### {title}{', ' if rate else ''}{rate}",
        "",
        *table([_HEADER, *map(_cells, group.rows)]),
        "",
        *_settings(group.first),
        *commands,
        "",
    ]


def _cells(row: TrainRow) -> tuple[str, ...]:
    dense = row.method == "dense"
    return (
        f"{row.device}, {row.threads} thread{'s' * (row.threads != 1)}",
        row.date[:10],
        str(row.seed),
        f"{row.top1_dense:.2f}",
        "" if dense else f"{row.top1_projected:.2f}",
        f"{row.top1_pruned:.2f}",
        f"{row.seconds / 3600:.2f}",
    )


def _settings(row: TrainRow) -> list[str]:
    facts = {key.replace("_", " "): value for key, value in row.settings.items()} | dict(
        row.versions
    )
    text = ", ".join(f"{name} {value}" for name, value in facts.items())
    return [f"Settings: {text}.", ""] if text else []
