"""What all plots have in common."""

from __future__ import annotations

from textwrap import fill
from typing import Any

__all__ = ["finish", "milliseconds", "title_of_figure"]

_TITLE_WIDTH = 88


def finish(axes: Any, axis: str, label: str) -> None:
    """Labels the axis of the measured values, "x" or "y", which begins at zero."""
    getattr(axes, f"set_{axis}lim")(**{"left" if axis == "x" else "bottom": 0})
    getattr(axes, f"set_{axis}label")(label)
    axes.grid(axis=axis, color="#dddddd")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def title_of_figure(figure: Any, text: str) -> None:
    """Writes the finding above the plot."""
    figure.suptitle(fill(text, _TITLE_WIDTH), fontsize=10, x=0.01, ha="left")


def milliseconds(seconds: float | None) -> float:
    """Returns 0 for a time that was not measured."""
    return (seconds or 0.0) * 1e3
