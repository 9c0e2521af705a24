"""Shows the rows of a sweep: latency against the value that is swept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.sweeps import SWEEPS
from tvm_patdnn.bench.systems import DENSE, OURS
from tvm_patdnn.bench.table import by_system, only_share, threads_text, times_text
from tvm_patdnn.plots.colours import colour_of
from tvm_patdnn.plots.drawing import finish, milliseconds, title_of_figure

__all__ = ["break_even", "draw", "finding", "tables", "title"]

_COMPRESSION, _THREADS = "compression", "threads"


def title(rows: Sequence[Row]) -> str:
    """Returns what was swept on what."""
    threads = "" if rows[0].series == _THREADS else f", {threads_text(rows[0])}"
    return f"{rows[0].model} by {_name(rows)}{threads}"


def finding(rows: Sequence[Row]) -> str:
    """Returns our latency at both ends, and how it compares with dense."""
    ours = _points(rows, OURS.name)
    if not ours:
        return f"{title(rows)}: {OURS.name} was not measured"
    parts = [f"{OURS.name} takes {_range(ours)}"]
    ratios = {row.value: row.ratio for row in _points(rows, DENSE.name) if row.ratio}
    if ratios and rows[0].series == _COMPRESSION:
        parts.append(_break_even_text(rows))
    if ratios:
        value, ratio = max(ratios.items(), key=lambda item: item[0] or 0.0)
        parts.append(f"{times_text(ratio)} {DENSE.name} at {value:g}")
    return f"{title(rows)}: {'; '.join(parts)}"


def break_even(rows: Sequence[Row]) -> float | None:
    """Returns the compression from which on ours is faster than dense.

    It lies between two points that were measured, where the ratio crosses 1 for the last
    time, on a line of their logarithms; None where there is no such pair.
    """
    points = [(row.value, row.ratio) for row in _points(rows, DENSE.name)]
    known = [(value, ratio) for value, ratio in points if value and ratio]
    for (low, below), (high, above) in reversed([*pairwise(known)]):
        if below < 1 <= above:
            return low * (high / low) ** (math.log(1 / below) / math.log(above / below))
    return None


def tables(rows: Sequence[Row]) -> list[list[tuple[str, ...]]]:
    """Returns a row for each value and a column for each system: ms, and times ours."""
    systems = by_system(rows)
    table: list[tuple[str, ...]] = [(f"{_name(rows)}, ms", *systems, "our kernel: of peak")]
    for value in sorted({row.value or 0.0 for row in rows}):
        at = {name: {row.value: row for row in each}.get(value) for name, each in systems.items()}
        share = only_share(at.get(OURS.name))
        table.append((f"{value:g}", *map(_cell, at.values()), share))
    return [table]


def draw(figure: Any, rows: Sequence[Row]) -> None:
    """Draws a line for each system, and the break-even where compression is swept."""
    figure.set_size_inches(8, 4.5)
    axes = figure.add_subplot()
    for name in by_system(rows):
        points = _points(rows, name)
        values = [row.value for row in points]
        low, middle, high = (
            [milliseconds(seconds) for seconds in each]
            for each in zip(*((row.p10_s, row.median_s, row.p90_s) for row in points))
        ) if points else ([], [], [])  # fmt: skip
        axes.plot(values, middle, marker="o", color=colour_of(name), label=name)
        axes.fill_between(values, low, high, color=colour_of(name), alpha=0.2, linewidth=0)
    if rows[0].series == _COMPRESSION:
        axes.set_xscale("log")
        _draw_break_even(axes, rows)
    axes.set_xlabel(SWEEPS[_name(rows)].axis)
    axes.set_xticks(sorted({row.value or 0.0 for row in rows}))
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_ylim(bottom=0)
    figure.legend(frameon=False, loc="outside right upper")
    finish(axes, "y", "ms (median; band: p10 to p90)")
    title_of_figure(figure, finding(rows))


def _draw_break_even(axes: Any, rows: Sequence[Row]) -> None:
    even = break_even(rows)
    if even is not None:
        axes.axvline(even, color="#444444", linestyle="--", linewidth=1)
        where = (even, axes.get_ylim()[1])
        axes.annotate(f" break-even {even:.2g}x", where, va="top", color="#444444")


def _break_even_text(rows: Sequence[Row]) -> str:
    even = break_even(rows)
    if even is not None:
        return f"break-even with {DENSE.name} at {even:.2g}x"
    points = [row for row in _points(rows, DENSE.name) if row.ratio]
    if all((row.ratio or 0.0) >= 1 for row in points):
        return f"break-even with {DENSE.name} below {points[0].value:g}x"
    return f"no break-even with {DENSE.name} up to {points[-1].value:g}x"


def _range(points: Sequence[Row]) -> str:
    ends = [points[0], points[-1]] if len(points) > 1 else points
    return " and ".join(f"{milliseconds(row.median_s):.3g} ms at {row.value:g}" for row in ends)


def _points(rows: Sequence[Row], system: str) -> list[Row]:
    measured = [row for row in rows if row.system == system and row.counts]
    return sorted(measured, key=lambda row: row.value or 0.0)


def _name(rows: Sequence[Row]) -> str:
    return str(rows[0].series)


def _cell(row: Row | None) -> str:
    if row is None or not row.counts:
        return row.status.value if row is not None else ""
    factor = f" ({row.ratio:.2f}x)" if row.ratio and row.system != OURS.name else ""
    return f"{milliseconds(row.median_s):.3g}{factor}"
