"""Draws rows: bars from zero, with the result as the title."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from textwrap import fill
from typing import Any

from tvm_patdnn.bench.colours import colour_of
from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.table import by_speed, finding, layers_finding
from tvm_patdnn.errors import BenchError
from tvm_patdnn.whole_file import check_writable, write_whole

__all__ = ["FORMATS", "check_plot", "save_plot"]

FORMATS = (".png", ".svg")
_OFF_THE_SCALE = 12  # times the fastest: such a bar would hide the differences of the others
_UNSCHEDULED = ("tvm-untuned",)  # a hundred times slower on every layer
_TITLE_WIDTH = 88


def save_plot(rows: Sequence[Row], path: Path) -> None:
    """Draws the latencies of one model, whole or by layer.

    Args:
        rows: of one model; those without a time that counts are left out.
        path: ends in .png or .svg.

    Raises:
        BenchError: as ``check_plot``, or nothing was measured.
        BuildError: the file cannot be written.
    """
    figures = check_plot(path)
    measured = [row for row in rows if row.counts]
    if not measured:
        raise BenchError(f"{path}: nothing was measured that could be drawn")
    figure = figures.Figure(layout="constrained")
    draw = _draw_layers if any(row.layer for row in measured) else _draw_systems
    draw(figure, measured)
    with write_whole(path) as partial:
        figure.savefig(partial, format=path.suffix[1:], dpi=150)


def check_plot(path: Path) -> Any:
    """Checks, before long work, that ``save_plot`` can write there.

    Raises:
        BenchError: matplotlib is missing, or the format is another.
        BuildError: the file cannot be written.

    Returns:
        The module that draws.
    """
    if path.suffix not in FORMATS:
        raise BenchError(f"{path}: plots are written as {' or '.join(FORMATS)}; name it so")
    check_writable(path)
    try:
        return import_module("matplotlib.figure")
    except ImportError:
        raise BenchError(
            f"{path}: plots need matplotlib; install tvm-patdnn[bench], or leave out the plot"
        ) from None


def _draw_systems(figure: Any, rows: Sequence[Row]) -> None:
    ordered = by_speed(rows)
    limit = _OFF_THE_SCALE * (ordered[0].median_s or 0.0)
    shown = [row for row in ordered if (row.median_s or 0.0) <= limit]
    figure.set_size_inches(8, 1.4 + 0.42 * len(shown))
    axes = figure.add_subplot()
    names = [row.system for row in shown]
    medians = [_milliseconds(row.median_s) for row in shown]
    below = [_milliseconds(row.median_s) - _milliseconds(row.p10_s) for row in shown]
    above = [_milliseconds(row.p90_s) - _milliseconds(row.median_s) for row in shown]
    bars = axes.barh(
        names,
        medians,
        xerr=[below, above],
        color=[colour_of(name) for name in names],
        ecolor="#444444",
        capsize=2,
    )
    axes.bar_label(bars, [_label(row) for row in shown], padding=6)
    axes.invert_yaxis()
    axes.margins(x=0.2)
    left_out = [row for row in ordered if row not in shown]
    _finish(axes, "ms (median; lines: p10 to p90)" + _off_scale(left_out))
    _title(figure, finding(rows))


def _draw_layers(figure: Any, rows: Sequence[Row]) -> None:
    layers = list(dict.fromkeys(str(row.layer) for row in rows))
    systems = list(dict.fromkeys(row.system for row in rows if row.system not in _UNSCHEDULED))
    figure.set_size_inches(8, 1.4 + (0.16 * len(systems) + 0.2) * len(layers))
    axes = figure.add_subplot()
    thickness = 0.8 / len(systems)
    for i, system in enumerate(systems):
        times = {str(row.layer): row.median_s for row in rows if row.system == system}
        places = [layers.index(layer) - 0.4 + (i + 0.5) * thickness for layer in times]
        values = [_milliseconds(seconds) for seconds in times.values()]
        axes.barh(places, values, thickness, color=colour_of(system), label=system)
    axes.set_yticks(range(len(layers)), layers)
    axes.invert_yaxis()
    axes.legend(frameon=False)
    _finish(axes, "ms (median)")
    _title(figure, layers_finding(rows))


def _finish(axes: Any, label: str) -> None:
    axes.set_xlim(left=0)
    axes.set_xlabel(label)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _title(figure: Any, text: str) -> None:
    figure.suptitle(fill(text, _TITLE_WIDTH), fontsize=10, x=0.01, ha="left")


def _off_scale(rows: Sequence[Row]) -> str:
    named = ", ".join(f"{row.system} {_milliseconds(row.median_s):,.0f} ms" for row in rows)
    return f"; off the scale: {named}" if rows else ""


def _label(row: Row) -> str:
    factor = f"  ({row.ratio:.2f}x ours)" if row.ratio and row.ratio != 1 else ""
    return f"{_milliseconds(row.median_s):.3g}{factor}"


def _milliseconds(seconds: float | None) -> float:
    return (seconds or 0.0) * 1e3
