"""Writes plots of rows: drawn from zero, with the result as the title."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.views import groups
from tvm_patdnn.errors import BenchError
from tvm_patdnn.plots.plot_file import check_plot, write_plot

__all__ = ["save_plot"]


def save_plot(rows: Sequence[Row], path: Path) -> None:
    """Draws the latencies of one model, whole or by layer, or of one ladder or sweep.

    Args:
        rows: of one group; those without a time that counts are left out.
        path: ends in .png or .svg.

    Raises:
        PlotError: as ``check_plot``.
        BenchError: nothing was measured.
        BuildError: the file cannot be written.
    """
    figures = check_plot(path)
    measured = [row for row in rows if row.counts]
    if not measured:
        raise BenchError(f"{path}: nothing was measured that could be drawn")
    figure = figures.Figure(layout="constrained")
    view, group = groups(measured)[0]
    view.draw(figure, group)
    write_plot(figure, path)
