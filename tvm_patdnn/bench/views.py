"""The ways to show rows, in words, tables and a plot: models, layers, ladders and sweeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tvm_patdnn.bench import bars, ladder_view, layer_table, sweep_view, table
from tvm_patdnn.bench.ladder import LADDER
from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.verdicts import baseline_text

__all__ = ["LADDERS", "LAYERS", "MODEL", "SWEEP", "View", "groups", "result_text"]

Table = Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class View:
    """How to show the rows of one group.

    Attributes:
        title: what they are about.
        finding: what they show, in a sentence.
        tables: their numbers; the first row of each is its header.
        draw: draws them into a figure.
    """

    title: Callable[[Sequence[Row]], str]
    finding: Callable[[Sequence[Row]], str]
    tables: Callable[[Sequence[Row]], Sequence[Table]]
    draw: Callable[[Any, Sequence[Row]], None]


MODEL = View(title=table.title, finding=table.finding, tables=table.tables, draw=bars.draw_systems)
LAYERS = View(
    title=layer_table.layers_title,
    finding=layer_table.layers_finding,
    tables=layer_table.layer_tables,
    draw=bars.draw_layers,
)
LADDERS = View(
    title=ladder_view.title,
    finding=ladder_view.finding,
    tables=ladder_view.tables,
    draw=ladder_view.draw,
)
SWEEP = View(
    title=sweep_view.title,
    finding=sweep_view.finding,
    tables=sweep_view.tables,
    draw=sweep_view.draw,
)


def groups(rows: Sequence[Row]) -> list[tuple[View, list[Row]]]:
    """Splits rows into those that are shown together, whole models first and sweeps last."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        threads = None if row.series == "threads" else row.threads
        key = (row.model, threads, row.series, row.layer is not None)
        found.setdefault(key, []).append(row)
    viewed = [(_view(each[0]), each) for each in found.values()]
    order = (MODEL, LAYERS, LADDERS, SWEEP)
    return sorted(viewed, key=lambda pair: order.index(pair[0]))


def result_text(rows: Sequence[Row]) -> str:
    """Returns what the rows show in words, and their tables."""
    parts = []
    for view, group in groups(rows):
        parts.append(view.finding(group))
        parts += map(table.columns_text, view.tables(group))
        parts += filter(None, [baseline_text(group)])
    return "\n\n".join(parts)


def _view(row: Row) -> View:
    if row.series == LADDER:
        return LADDERS
    if row.series is not None:
        return SWEEP
    return MODEL if row.layer is None else LAYERS
