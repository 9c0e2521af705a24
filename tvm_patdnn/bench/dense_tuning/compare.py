"""Measures a dense convolution as TVM's tuner scheduled it against our own kernel, in turns."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tvm_patdnn.bench.dense_tuning.extension import tuned_extension
from tvm_patdnn.bench.dense_tuning.tasks import layer_model
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import ConvShape, TunedConvolutions
from tvm_patdnn.bench.reference import relative_error
from tvm_patdnn.bench.system import Job, Loaded
from tvm_patdnn.bench.systems.tvm_library import load_library
from tvm_patdnn.builder import build_requested
from tvm_patdnn.compilation import Request

__all__ = ["Comparison", "compare"]

_WARM_UP = 2
_MAX_ERROR = 1e-4
_LIMIT = 5.0  # seconds after which no other round begins


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Seconds of the layer alone, without changes of layout before and after it.

    Attributes:
        tuned_s: None where there is no schedule, or its results are wrong.
    """

    tuned_s: float | None
    ours_s: float


def compare(
    shape: ConvShape, trace: Any, target: Mapping[str, Any], threads: int, rounds: int = 25
) -> Comparison:
    """Builds both as the benchmark would, and times them.

    Args:
        shape: the convolution.
        trace: see ``trace_to_json``; None where there is none.
        target: a config for this machine.
        threads: that compute, as TVM_NUM_THREADS says.
        rounds: how often each is timed.
    """
    inputs = {"x": np.random.default_rng(1).standard_normal(shape.in_shape).astype(np.float32)}
    with tempfile.TemporaryDirectory() as folder:
        ways = [
            _load(shape, tuned, target, threads, Path(folder) / f"{number}.so", inputs)
            for number, tuned in enumerate([{}, {shape: trace}] if trace is not None else [{}])
        ]
        outputs = [way.outputs(way.run()) for way in ways]
        seconds = _take_turns(ways, rounds)
    right = len(ways) > 1 and relative_error(outputs[1], outputs[0]) < _MAX_ERROR
    return Comparison(ours_s=median(seconds[0]), tuned_s=median(seconds[1]) if right else None)


def _load(
    shape: ConvShape,
    tuned: TunedConvolutions,
    target: Mapping[str, Any],
    threads: int,
    path: Path,
    inputs: Mapping[str, np.ndarray],
) -> Loaded:
    extension = tuned_extension(tuned)
    model = layer_model(shape)
    request = Request(onnx_model=model, target=dict(target), extension=extension)
    build_requested(request).export_library(path)
    job = Job(model=path, outputs=("y",), folder=path.parent, threads=threads, thorough=False)
    return load_library(path, job, inputs)


def _take_turns(ways: Sequence[Loaded], rounds: int) -> list[list[float]]:
    seconds: list[list[float]] = [[] for _ in ways]
    begun = time.perf_counter()
    for number in range(_WARM_UP + rounds):
        for way, spent in zip(ways, seconds, strict=True):
            assert way.profile is not None, "TVM's libraries can be profiled"
            spent.append(sum(kernel for _, kernel in way.profile()))
        if number > _WARM_UP and time.perf_counter() - begun > _LIMIT:
            break
    return [spent[_WARM_UP:] for spent in seconds]
