"""How sure a mean difference is: Student's t interval over paired runs."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import mean, stdev

__all__ = ["difference_text", "interval", "spread_text"]

#: Two-sided 95 % quantiles of Student's t for 1, 2, ... 30 degrees of freedom.
QUANTILES = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Returns the 95 % interval of the mean of at least two values, taken as normal.

    Beyond 31 values it is a little too wide.
    """
    quantile = QUANTILES[min(len(values) - 1, len(QUANTILES)) - 1]
    half = quantile * stdev(values) / sqrt(len(values))
    return mean(values) - half, mean(values) + half


def difference_text(values: Sequence[float]) -> str:
    """Returns the mean of paired differences and, of several, its interval: ``-0.2 [-1, +1]``."""
    if not values:
        return ""
    if len(values) == 1:
        return f"{values[0]:+.2f}"
    low, high = interval(values)
    return f"{mean(values):+.2f} [{low:+.2f}, {high:+.2f}]"


def spread_text(values: Sequence[float]) -> str:
    """Returns the mean and, of several values, their standard deviation."""
    deviation = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    return f"{mean(values):.2f}{deviation}"
