"""Draws latencies as bars from zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tvm_patdnn.bench.layer_table import layers_finding
from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.table import by_speed, by_system, finding
from tvm_patdnn.plots.colours import colour_of
from tvm_patdnn.plots.drawing import finish, milliseconds, title_of_figure

__all__ = ["draw_groups", "draw_layers", "draw_systems"]

_OFF_THE_SCALE = 12  # times the fastest: such a bar would hide the differences of the others
_UNSCHEDULED = "tvm-untuned"  # a hundred times slower on every layer


def draw_systems(figure: Any, rows: Sequence[Row]) -> None:
    """Draws a bar for each system on one model."""
    ordered = by_speed(rows)
    limit = _OFF_THE_SCALE * (ordered[0].median_s or 0.0)
    shown = [row for row in ordered if (row.median_s or 0.0) <= limit]
    figure.set_size_inches(8, 1.4 + 0.42 * len(shown))
    axes = figure.add_subplot()
    names = [row.system for row in shown]
    low, middle, high = (
        [milliseconds(seconds) for seconds in each]
        for each in zip(*((row.p10_s, row.median_s, row.p90_s) for row in shown))
    )
    bars = axes.barh(
        names,
        middle,
        xerr=[[m - p for m, p in zip(middle, low)], [p - m for m, p in zip(middle, high)]],
        color=[colour_of(name) for name in names],
        ecolor="#444444",
        capsize=2,
    )
    axes.bar_label(bars, [_label(row) for row in shown], padding=6)
    axes.invert_yaxis()
    axes.margins(x=0.2)
    left_out = [row for row in ordered if row not in shown]
    finish(axes, "x", "ms (median; lines: p10 to p90)" + _off_scale(left_out))
    title_of_figure(figure, finding(rows))


def draw_layers(figure: Any, rows: Sequence[Row]) -> None:
    """Draws bars for each layer of a model, one for each system."""
    layers = list(dict.fromkeys(str(row.layer) for row in rows))
    values = {
        name: {str(row.layer): milliseconds(row.median_s) for row in each}
        for name, each in by_system(rows).items()
        if name != _UNSCHEDULED
    }
    draw_groups(figure, layers, values, "ms (median)", layers_finding(rows))


def draw_groups(
    figure: Any,
    groups: Sequence[str],
    values: Mapping[str, Mapping[str, float]],
    label: str,
    title: str,
) -> Any:
    """Draws a group of bars for each of ``groups``, and returns the axes.

    Args:
        figure: to draw in.
        groups: their names, from above.
        values: the length of a bar, by system and group.
        label: what they mean.
        title: above it all.
    """
    figure.set_size_inches(8, 1.4 + (0.16 * len(values) + 0.2) * len(groups))
    axes = figure.add_subplot()
    thickness = 0.8 / len(values)
    for i, (system, bars) in enumerate(values.items()):
        places = [groups.index(group) - 0.4 + (i + 0.5) * thickness for group in bars]
        axes.barh(places, [*bars.values()], thickness, color=colour_of(system), label=system)
    axes.set_yticks(range(len(groups)), groups)
    axes.invert_yaxis()
    figure.legend(frameon=False, loc="outside right upper")
    finish(axes, "x", label)
    title_of_figure(figure, title)
    return axes


def _off_scale(rows: Sequence[Row]) -> str:
    named = ", ".join(f"{row.system} {milliseconds(row.median_s):,.0f} ms" for row in rows)
    return f"; off the scale: {named}" if rows else ""


def _label(row: Row) -> str:
    factor = f"  ({row.ratio:.2f}x ours)" if row.ratio and row.ratio != 1 else ""
    return f"{milliseconds(row.median_s):.3g}{factor}"
