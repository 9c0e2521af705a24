"""Draws a run: learning curves, residuals, patterns, and sensitivities of layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.plots.plot_file import check_plot, write_plot
from tvm_patdnn.sparse.patterns import Pattern
from tvm_patdnn.training.methods import Residual
from tvm_patdnn.training.run_state import Row
from tvm_patdnn.training.sensitivity import Sensitivity

__all__ = ["draw_curves", "draw_patterns", "draw_residuals", "draw_sensitivities"]

_TRAIN, _TEST, _GREY = "#56b4e9", "#d55e00", "#444444"
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7")


def draw_curves(history: Sequence[Row], path: Path) -> None:
    """Draws accuracy and learning rate over all epochs, with the phases marked.

    Raises:
        PlotError: matplotlib is missing, or the file's ending is not that of a plot.
        BuildError: the file cannot be written.
    """
    figure = _figure(path, (8, 5))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    epochs = range(1, len(history) + 1)
    tested = [(e, row["test_top1"]) for e, row in zip(epochs, history) if "test_top1" in row]
    above.plot(epochs, [row["train_top1"] for row in history], color=_TRAIN, label="training")
    above.plot(*zip(*tested), color=_TEST, label="test")
    above.set_ylabel("top-1 (%)")
    above.set_ylim(0, 100)
    above.legend(frameon=False, loc="lower right")
    below.plot(epochs, [row["lr"] for row in history], color=_GREY)
    below.set_ylabel("learning rate")
    below.set_ylim(bottom=0)
    below.set_xlabel("epoch")
    for start, name in _phase_starts(history):
        above.axvline(start, color="#bbbbbb", linewidth=0.8)
        above.text(start + 0.2, 3, name, fontsize=8, color=_GREY)
    last = tested[-1][1] if tested else float("nan")
    _write(figure, path, f"Top-1 on the test images: {last:.2f}% at the end")


def draw_residuals(log: Sequence[Residual], path: Path) -> None:
    """Draws how far the weights are from both constraints; errors as ``draw_curves``."""
    figure = _figure(path, (8, 3.5))
    axes = figure.add_subplot()
    names = list(dict.fromkeys(row.get("constraint", "all") for row in log))
    for name, colour in zip(names, _COLOURS):
        rows = [row for row in log if row.get("constraint", "all") == name]
        axes.plot([r["epoch"] for r in rows], [r["residual"] for r in rows], color=colour)
        axes.annotate(f" {name}", (rows[-1]["epoch"], rows[-1]["residual"]), color=colour)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("epoch of the pruning phase")
    axes.set_ylabel("||W - Z|| / ||W||")
    ends = ", ".join(f"{n} {_last(log, n):.3f}" for n in names)
    _write(figure, path, f"Residuals at the last update: {ends}")


def draw_patterns(counts: Mapping[Pattern, int], path: Path) -> None:
    """Draws each pattern with the number of kernels that have it; errors as ``draw_curves``."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    figure = _figure(path, (max(4.0, 0.9 * len(ordered)), 3.2))
    above, below = figure.subplots(2, 1, height_ratios=[3, 1])
    bars = above.bar(range(len(ordered)), [count for _, count in ordered], color=_TEST)
    above.bar_label(bars, fontsize=8)
    above.set_xticks([])
    above.set_ylabel("kernels")
    below.set_xlim(above.get_xlim())
    below.set_axis_off()
    below.set_aspect("equal")
    for i, (pattern, _) in enumerate(ordered):
        height, width = pattern.kernel_shape
        image = np.where(pattern.mask(), 0.2, 0.88)  # kept dark, removed light
        extent = (i - 0.3, i + 0.3, 0, 0.6 * height / width)
        below.imshow(image, cmap="gray", vmin=0, vmax=1, extent=extent)
    below.set_xlim(above.get_xlim())
    below.set_ylim(-0.05, 0.65)
    share = 100 * ordered[0][1] / sum(counts.values())
    finding = f"the most frequent has {share:.0f}% of {sum(counts.values()):,} kernels"
    _write(figure, path, f"{len(ordered)} patterns; {finding}")


def draw_sensitivities(rows: Sequence[Sensitivity], path: Path) -> None:
    """Draws top-1 by rate, one line per layer; errors as ``draw_curves``."""
    layers = list(dict.fromkeys(row.layer for row in rows))
    figure = _figure(path, (8, 5))
    axes = figure.add_subplot()
    for i, layer in enumerate(layers):
        own = [row for row in rows if row.layer == layer]
        shade = (0.0, 0.25 + 0.6 * i / max(1, len(layers) - 1), 0.7)
        axes.plot([r.rate for r in own], [r.top1 for r in own], color=shade, label=layer)
    axes.set_xlabel("connectivity rate of this layer alone, with patterns, not retrained")
    axes.set_ylabel("top-1 (%) on the images of the scan")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=6, ncols=2)
    worst = min(rows, key=lambda row: row.top1)
    _write(figure, path, f"{worst.layer} suffers most: {worst.top1:.1f}% at {worst.rate:g}x")


def _figure(path: Path, size: tuple[float, float]) -> Any:
    figures = check_plot(path)
    return figures.Figure(layout="constrained", figsize=size)


def _write(figure: Any, path: Path, title: str) -> None:
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    write_plot(figure, path)


def _phase_starts(history: Sequence[Row]) -> Iterator[tuple[float, str]]:
    before = None
    for epoch, row in enumerate(history, 1):
        if row["phase"] != before:
            before = row["phase"]
            yield epoch - 0.5, before


def _last(log: Sequence[Residual], name: str) -> float:
    return next(float(r["residual"]) for r in reversed(log) if r.get("constraint", "all") == name)
