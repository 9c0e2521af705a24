"""Checks what was read of a log: counts are whole numbers of a size that occurs."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["check_counts"]

_MOST = 1 << 16  # of anything that a schedule counts


def check_counts(counts: Mapping[str, object]) -> None:
    """Checks counts, given by their names.

    Raises:
        ValueError: one is no whole number from 1 to 65,536.
    """
    for name, value in counts.items():
        if type(value) is not int or not 1 <= value <= _MOST:
            raise ValueError(f"{name} is {value!r}, expected a whole number from 1 to {_MOST}")
