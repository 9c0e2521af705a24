"""Compares a network with itself, scheduled by default and as tuning found: result and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import TypeAlias

import numpy as np

from tvm_patdnn.errors import TuningError
from tvm_patdnn.evaluation.random_inputs import random_inputs
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.library.standalone_model import StandaloneModel

__all__ = ["Model", "NetworkTimes", "check_same", "compare_networks"]

_TURNS = 15
_RUNS = 3  # of each turn
_TOLERANCE = 1e-3  # of the largest value

Model: TypeAlias = RunnableModel | StandaloneModel


@dataclass(frozen=True, kw_only=True)
class NetworkTimes:
    """Median latencies, measured in turns, in seconds."""

    default_s: float
    tuned_s: float


def compare_networks(models: Sequence[Model]) -> list[float]:
    """Returns the median seconds of each, measured in turns.

    Raises:
        TuningError: their results differ from those of the first.
    """
    inputs = random_inputs(models[0].inputs)
    expected = models[0].run(inputs)
    for model in models[1:]:
        check_same(expected, model.run(inputs))
    turns = [[model.time(inputs, _RUNS) for model in models] for _ in range(_TURNS)]
    return [median(chain.from_iterable(own)) for own in zip(*turns, strict=True)]


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
