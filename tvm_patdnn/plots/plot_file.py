"""Files of plots: which there can be, and how one is written."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from tvm_patdnn.errors import PlotError
from tvm_patdnn.whole_file import check_writable, write_whole

__all__ = ["FORMATS", "check_plot", "write_plot"]

FORMATS = (".png", ".svg")
_NO_DATE = {".svg": {"Date": None}}  # this and the next: equal plots are equal files
_SAME_NAMES = {"svg.hashsalt": "tvm-patdnn"}


def check_plot(path: Path) -> Any:
    """Checks, before long work, that a plot can be drawn and written there.

    Raises:
        PlotError: matplotlib is missing, or the format is another.
        BuildError: the file cannot be written.

    Returns:
        The module that draws.
    """
    if path.suffix not in FORMATS:
        raise PlotError(f"{path}: plots are written as {' or '.join(FORMATS)}; end the name so")
    check_writable(path)
    try:
        return import_module("matplotlib.figure")
    except ImportError:
        raise PlotError(
            f"{path}: plots need matplotlib; install tvm-patdnn[bench], or leave out the plot"
        ) from None


def write_plot(figure: Any, path: Path) -> None:
    """Writes a figure.

    Args:
        figure: matplotlib's.
        path: ends in .png or .svg.

    Raises:
        BuildError: the file cannot be written.
    """
    with write_whole(path) as partial, import_module("matplotlib").rc_context(_SAME_NAMES):
        figure.savefig(partial, format=path.suffix[1:], dpi=150, metadata=_NO_DATE.get(path.suffix))
