"""Builds and times the networks of rows: see ``latencies``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.machine.cpu_name import cpu_name
from tvm_patdnn.machine.threads import VARIABLE, use_all_cores
from tvm_patdnn.pruning.mining import candidate_patterns
from tvm_patdnn.pruning.options import (
    ConnectivityScope,
    FilterGrouping,
    PatternChoice,
    PruneOptions,
)
from tvm_patdnn.training.accuracy.latencies import Latencies, by_structure
from tvm_patdnn.training.data.images import DataSet
from tvm_patdnn.training.network_factory import input_channels, make_checked_network
from tvm_patdnn.training.options import Method, PrunerConfig
from tvm_patdnn.training.pruner import PatternPruner
from tvm_patdnn.training.rows import TrainRow

if TYPE_CHECKING:
    from tvm_patdnn.library.running import RunnableModel

__all__ = ["time_networks"]

_ROUNDS, _REPEATS = 10, 20


def time_networks(
    rows: Sequence[TrainRow],
    data: DataSet,
    *,
    threads: int | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Latencies:
    """Builds one network of each structure in ``rows`` for this machine, and times all in turns.

    Args:
        data: that the rows are of, for the size of images and the number of classes; rows of
            other data are left out.
        threads: of the compiled networks; None for one on each core.
        tick: called after each build.

    Raises:
        TrainingError: no row is of these data.
    """
    chosen = by_structure(rows, data.name)
    if not chosen:
        raise TrainingError(
            f"no row is of {data.name}; give the data that the rows were trained on"
        )
    if threads is not None:
        os.environ[VARIABLE] = str(threads)
    use_all_cores()
    with TemporaryDirectory() as folder:
        models = {}
        for number, (name, row) in enumerate(chosen.items()):
            models[name] = _build(row, data, Path(folder) / f"{number}.onnx")
            tick()
        seconds = _in_turns(models, data)
    return Latencies(
        milliseconds={name: round(1e3 * each, 4) for name, each in sorted(seconds.items())},
        device=cpu_name(),
        threads=int(os.environ[VARIABLE]),
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions={name: version(name) for name in ("tvm-patdnn", "apache-tvm")},
    )


def _build(row: TrainRow, data: DataSet, path: Path) -> RunnableModel:
    """Prunes first weights as the row's method would at its end, and compiles the network."""
    import tvm_patdnn
    from tvm_patdnn.library.library import load

    network = make_checked_network(row.network, data, seed=0, device=torch.device("cpu"))
    example = torch.zeros(1, input_channels(network), *data.train.shape[1:])
    config = PrunerConfig(method=cast(Method, row.method), prune=_options(row), epochs=1)
    pruner = PatternPruner(network, config, example=example)
    pruner.finalize()
    pruner.export_onnx(path, example)
    library = path.with_suffix(".so")
    tvm_patdnn.build(path).export_library(library)
    return load(library)


def _options(row: TrainRow) -> PruneOptions:
    sets = len(candidate_patterns((3, 3), row.entries))
    patterns: PatternChoice = "all" if row.patterns == sets else max(1, row.patterns)
    return PruneOptions(
        patterns=patterns,
        entries=row.entries,
        connectivity=row.connectivity,
        per_layer=row.rates,
        connectivity_scope=cast(ConnectivityScope, row.scope),
        filter_block=row.filter_block,
        filter_grouping=cast(FilterGrouping, row.filter_grouping),
    )


def _in_turns(models: Mapping[str, RunnableModel], data: DataSet) -> dict[str, float]:
    """Returns the median seconds of each."""
    shape = (1, *data.train.shape)
    image = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    found: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(_ROUNDS):
        for name, model in models.items():
            found[name] += model.time({"x": image}, _REPEATS)
    return {name: median(seconds) for name, seconds in found.items()}
