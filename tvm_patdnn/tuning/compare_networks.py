"""Compares a network with itself, scheduled by default and as tuning found: result and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from tvm_patdnn.builder import build_requested
from tvm_patdnn.compilation import Request
from tvm_patdnn.errors import TuningError
from tvm_patdnn.evaluation.random_inputs import random_inputs
from tvm_patdnn.tuning.places import HERE, Place

__all__ = ["NetworkTimes", "check_same", "compare_networks"]

_TURNS = 15
_RUNS = 3  # of each turn
_TOLERANCE = 1e-3  # of the largest value


@dataclass(frozen=True, kw_only=True)
class NetworkTimes:
    """Median latencies, measured in turns, in seconds."""

    default_s: float
    tuned_s: float


def compare_networks(default: Request, log: Path, place: Place = HERE) -> NetworkTimes:
    """Builds and measures both.

    Args:
        default: the network without records.
        log: the records.

    Raises:
        TuningError: their results differ.
    """
    libraries = (build_requested(default), build_requested(replace(default, logs=log)))
    before, after = (place.network(library) for library in libraries)
    inputs = random_inputs(before.inputs)
    check_same(before.run(inputs), after.run(inputs))
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_TURNS):
        for model, found in zip((before, after), times, strict=True):
            found += model.time(inputs, _RUNS)
    return NetworkTimes(default_s=median(times[0]), tuned_s=median(times[1]))


def check_same(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]) -> None:
    """Checks that two networks compute the same.

    Raises:
        TuningError: they do not.
    """
    for name, expected in before.items():
        if not np.issubdtype(expected.dtype, np.floating):
            continue
        most = float(np.abs(expected).max(initial=0.0))
        apart = float(np.abs(after[name] - expected).max(initial=0.0))
        if not apart <= _TOLERANCE * most:
            raise TuningError(
                f"{name}: the tuned network differs by {apart:.2g} where values are up to "
                f"{most:.2g}; do not use the log, and report it with the model, if you may"
            )
