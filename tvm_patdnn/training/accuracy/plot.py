"""Draws accuracy against latency."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

from tvm_patdnn.plots.plot_file import check_plot, write_plot
from tvm_patdnn.training.accuracy.configuration import attributes
from tvm_patdnn.training.accuracy.groups import Group
from tvm_patdnn.training.accuracy.names import rate_text, tell_apart

__all__ = ["draw_trade"]

_COLOURS = {"dense": "#444444", "free": "#0072b2", "blocks": "#d55e00", "other": "#009e73"}


def draw_trade(points: Sequence[tuple[Group, float]], path: Path) -> None:
    """Draws the mean top-1 of each group over the milliseconds of its network.

    Bars are a standard deviation up and down, where there are several runs.

    Raises:
        PlotError: matplotlib is missing, or the file's ending is not that of a plot.
        BuildError: the file cannot be written.
    """
    figure = check_plot(path).Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    names = tell_apart([group.first for group, _ in points])
    for name, (group, time) in zip(names, points):
        colour = _COLOURS[_kind(group)]
        bar = stdev(group.top1) if len(group.top1) > 1 else None
        axes.errorbar(time, mean(group.top1), yerr=bar, fmt="o", color=colour, capsize=3)
        text = " ".join(filter(None, (name, rate_text(group.first))))
        axes.annotate(f" {text}", (time, mean(group.top1)), color=colour, fontsize=7)
    axes.set_xlim(left=0)
    axes.set_xlabel("latency of one image (ms)")
    axes.set_ylabel("top-1 (%)")
    axes.spines[["top", "right"]].set_visible(False)
    write_plot(figure, path)


def _kind(group: Group) -> str:
    row = group.first
    if row.method == "dense":
        return "dense"
    if row.method in ("filter", "unstructured"):
        return "other"
    return "free" if attributes(row)["blocks"] == (1, "neighbours") else "blocks"
