"""The phases of a window that moves by several values, each a window that moves by one.

A tap of row i reads, for output r, row r * stride + i of the input: taps whose rows are the same
modulo the stride read the same share of the rows, of which they are a window of their own. So
such a convolution is one that moves by one value over stride times stride as many channels.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

__all__ = ["Phase", "most_taps", "phase_weight", "phases"]

_Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Some taps of a window; pairs are (y, x).

    Attributes:
        first: the first of the taps.
        taps: how many rows and columns of them.
    """

    first: _Pair
    taps: _Pair


def phases(taps: _Pair, stride: _Pair) -> list[Phase]:
    """Returns the phases of a window that have a tap."""
    rows, columns = (range(min(pair)) for pair in zip(taps, stride, strict=True))
    firsts = itertools.product(rows, columns)
    return [Phase(first=first, taps=_taps_from(first, taps, stride)) for first in firsts]


def most_taps(taps: _Pair, stride: _Pair) -> _Pair:
    """Returns the rows and columns of the largest phase."""
    return _taps_from((0, 0), taps, stride)


def phase_weight(weight: np.ndarray, stride: _Pair) -> np.ndarray:
    """Returns the weight of the phases, of which smaller ones end with zeros.

    Args:
        weight: (filters, channels, kh, kw).

    Returns:
        (filters, phases times channels, rows, columns), phase by phase.
    """
    taps = weight.shape[2], weight.shape[3]
    of_phases = []
    for phase in phases(taps, stride):
        own = weight[:, :, phase.first[0] :: stride[0], phase.first[1] :: stride[1]]
        missing = np.subtract(most_taps(taps, stride), phase.taps)
        of_phases.append(np.pad(own, ((0, 0), (0, 0), (0, missing[0]), (0, missing[1]))))
    return np.concatenate(of_phases, axis=1)


def _taps_from(first: _Pair, taps: _Pair, stride: _Pair) -> _Pair:
    y, x = (-(-(t - f) // s) for f, t, s in zip(first, taps, stride, strict=True))
    return y, x
