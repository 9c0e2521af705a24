"""What a measurement is of: records of one key can be compared with each other."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

__all__ = ["TuningKey", "distance", "without_halos"]

_SAME = ("kernel", "stride", "dilation")  # of a workload: layers that differ here are not similar
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_COUNTS = ("lanes", "threads")
_HALO = re.compile(r" halo [\d,]+")
_OTHER_LAYOUT = 0.5  # as far away as a size that is 1.4 times as large
_OTHER_HALO = 0.05  # of the same splits
_OF_THREADS = 0.25  # for each doubling


@dataclass(frozen=True, kw_only=True)
class TuningKey:
    """One layer on one CPU.

    Attributes:
        family: of kernels, see ``families``.
        workload: the shape of the layer and the statistics of its weight: names and numbers.
        layout: how its tensors are stored.
        lanes: values in a vector.
        threads: that compute.
        cpu: LLVM's name of the CPU.
    """

    family: str
    workload: str
    layout: str
    lanes: int
    threads: int
    cpu: str

    def __post_init__(self) -> None:
        for field in fields(self):
            value: Any = getattr(self, field.name)
            if field.name in _COUNTS:
                good = type(value) is int and value > 0
            else:
                good = type(value) is str and value != ""
            if not good:
                expected = "a positive whole number" if field.name in _COUNTS else "a text"
                raise ValueError(f"{field.name} is {value!r}, expected {expected}")


def distance(first: TuningKey, second: TuningKey) -> float:
    """Returns how different two layers are: 0 for the same; infinite where nothing carries over."""
    fixed = ("family", "lanes", "cpu")
    if any(getattr(first, name) != getattr(second, name) for name in fixed):
        return math.inf
    one, other = _parts(first.workload), _parts(second.workload)
    if one.keys() != other.keys() or any(one.get(name) != other.get(name) for name in _SAME):
        return math.inf
    sizes = sum(_apart(one[name], other[name]) for name in one)
    threads = _OF_THREADS * abs(math.log2(first.threads / second.threads))
    return sizes + threads + _layouts_apart(first.layout, second.layout)


def without_halos(layout: str) -> str:
    """Returns the splits of a layout in lanes."""
    return _HALO.sub("", layout)


def _layouts_apart(one: str, other: str) -> float:
    if one == other:
        return 0.0
    return _OTHER_HALO if without_halos(one) == without_halos(other) else _OTHER_LAYOUT


@lru_cache(maxsize=4096)  # each layer is compared with every other
def _parts(workload: str) -> dict[str, tuple[float, ...]]:
    """Reads "in 1x64x56x56 kernel 3x3" as numbers by name."""
    words = workload.split()
    return {
        name: tuple(float(number) for number in _NUMBER.findall(value))
        for name, value in zip(words[::2], words[1::2], strict=False)
    }


def _apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    if len(one) != len(other):
        return math.inf
    return sum(abs(math.log2((a + 1) / (b + 1))) for a, b in zip(one, other, strict=True))
