"""Measures contenders in turns, so that a slow moment of the machine strikes all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import onnxruntime

__all__ = ["Timer", "onnxruntime_session", "onnxruntime_timer", "race"]

Timer = Callable[[int], Sequence[float]]  # number of runs -> seconds of each, after a warm-up


def race(
    contenders: Mapping[str, Timer],
    *,
    rounds: int,
    repeats: int = 5,
    progress: Callable[[str], None] = lambda phase: None,
) -> dict[str, float]:
    """Lets each contender run ``repeats`` times, in turns, ``rounds`` times.

    Args:
        progress: told of each round as it begins.

    Returns:
        The median of all runs of each, in seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        progress(f"measuring, round {turn + 1} of {rounds}")
        for name, timer in contenders.items():
            seconds[name] += timer(repeats)
    return {name: statistics.median(values) for name, values in seconds.items()}


def onnxruntime_session(model: str | bytes, threads: int) -> onnxruntime.InferenceSession:
    """Loads an ONNX file, or its bytes, for ``threads`` threads; else as it comes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def onnxruntime_timer(
    session: onnxruntime.InferenceSession, inputs: Mapping[str, np.ndarray]
) -> Timer:
    """Returns a contender that runs ``session`` on ``inputs``."""

    def timer(repeats: int) -> list[float]:
        session.run(None, inputs)
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            session.run(None, inputs)
            seconds.append(time.perf_counter() - start)
        return seconds

    return timer
