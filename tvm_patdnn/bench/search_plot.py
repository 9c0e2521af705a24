"""Draws how fast the searches get to their best: its time against the trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tvm_patdnn.bench.search_rows import SearchRow
from tvm_patdnn.plots.colours import colour_of
from tvm_patdnn.plots.drawing import finish, milliseconds, title_of_figure
from tvm_patdnn.plots.plot_file import check_plot, write_plot

__all__ = ["finding", "save_search_plot"]

_ROOM = 1.5  # times the default: what is slower is above the plot


def finding(rows: Sequence[SearchRow]) -> str:
    """Returns how the winner of the guided search compares with that of the random one."""
    ratios = [row.random_s / row.genetic_s for row in rows if row.random_s and row.genetic_s]
    if not ratios:
        return "nothing was measured"
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    guided, random = (max(map(len, courses)) for courses in _courses(rows))
    return (
        f"what {guided} guided trials find is {mean:.2f}x as fast as what {random} random ones "
        f"find, {min(ratios):.2f}x to {max(ratios):.2f}x by layer"
    )


def save_search_plot(rows: Sequence[SearchRow], path: Path) -> None:
    """Draws a plot for each layer into one file.

    Args:
        path: ends in .png or .svg.

    Raises:
        PlotError: as ``check_plot``.
        BuildError: the file cannot be written.
    """
    figure = check_plot(path).Figure(layout="constrained", figsize=(4 * len(rows), 3.5))
    for axes, row in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows, strict=True):
        _draw(axes, row)
    figure.axes[0].legend(frameon=False)
    title_of_figure(figure, finding(rows))
    write_plot(figure, path)


def _draw(axes: Any, row: SearchRow) -> None:
    for name, course in (("genetic", row.genetic_course), ("random", row.random_course)):
        trials = range(1, len(course) + 1)
        times = list(map(milliseconds, course))
        axes.plot(trials, times, drawstyle="steps-post", color=colour_of(name), label=name)
    default = milliseconds(row.default_s)
    axes.axhline(default, color=colour_of("default"), linestyle="--", label="default")
    axes.set_ylim(top=_ROOM * default or None)
    axes.set_title(row.layer, fontsize=9)
    axes.set_xlabel("trials")
    finish(axes, "y", "ms of the best so far")


def _courses(rows: Sequence[SearchRow]) -> tuple[list[list[float]], list[list[float]]]:
    return [row.genetic_course for row in rows], [row.random_course for row in rows]
