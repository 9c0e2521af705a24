"""Writes plots of rows: drawn from zero, with the result as the title."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.views import groups
from tvm_patdnn.errors import BenchError
from tvm_patdnn.whole_file import check_writable, write_whole

__all__ = ["FORMATS", "check_plot", "save_plot"]

FORMATS = (".png", ".svg")
_NO_DATE = {".svg": {"Date": None}}  # this and the next: equal plots are equal files
_SAME_NAMES = {"svg.hashsalt": "tvm-patdnn"}


def save_plot(rows: Sequence[Row], path: Path) -> None:
    """Draws the latencies of one model, whole or by layer, or of one ladder or sweep.

    Args:
        rows: of one group; those without a time that counts are left out.
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
    view, group = groups(measured)[0]
    view.draw(figure, group)
    with write_whole(path) as partial, import_module("matplotlib").rc_context(_SAME_NAMES):
        figure.savefig(partial, format=path.suffix[1:], dpi=150, metadata=_NO_DATE.get(path.suffix))


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
