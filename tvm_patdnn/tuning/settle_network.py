"""Decides for a whole network: what each layer gets in it, and whether tuning made it faster."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tvm_patdnn.builder import build_requested
from tvm_patdnn.compilation import Request
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.records.log_upkeep import deciding
from tvm_patdnn.records.record_files import append_records, read_log
from tvm_patdnn.records.tuning_records import Record
from tvm_patdnn.tuning.choose_in_network import (
    NETWORKS,
    Choices,
    better_choices,
    layer_seconds,
    runners_up,
)
from tvm_patdnn.tuning.compare_networks import Model, NetworkTimes, compare_networks
from tvm_patdnn.tuning.places import HERE, Place
from tvm_patdnn.tuning.tuner import TunedTask, Tuner

__all__ = ["Settled", "settle_network"]

_EVEN = 0.99  # of the default's time: as fast as that is not faster


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What was found of the whole network.

    Attributes:
        choices: of tasks that got another kernel than the fastest alone.
        kept: whether the tuned network is the faster one.
    """

    times: NetworkTimes
    choices: Choices
    kept: bool


def settle_network(
    request: Request, log: Path, tuner: Tuner, done: Sequence[TunedTask], place: Place = HERE
) -> Settled:
    """Measures the network by default and as the log says, and keeps in the log what is faster.

    On this machine, finalists of layers are first compared in the network.

    Args:
        request: the network without the log.
        tuner: which has written the log.
        done: its tasks that were measured.

    Raises:
        TuningError: results differ.
    """
    tuned = replace(request, logs=log)
    models = [_model(each, place) for each in (request, tuned)]
    better = _better(tuned, models[1], tuner, done) if place is HERE else {}
    if better:
        _choose(tuner, better)
        models.append(_model(tuned, place))
    default_s, *tuned_s = compare_networks(models)
    if better and tuned_s[1] > tuned_s[0]:
        _choose(tuner, {task: task.winner for task in better})
        better = {}
    kept = min(tuned_s) < default_s * _EVEN
    if not kept:
        better = {}
        tuner.keep_defaults()
    times = NetworkTimes(default_s=default_s, tuned_s=min(tuned_s))
    return Settled(times=times, choices=better, kept=kept)


def _better(tuned: Request, first: Model, tuner: Tuner, done: Sequence[TunedTask]) -> Choices:
    if not isinstance(first, RunnableModel):
        return {}
    others = [each for at in range(1, NETWORKS) if (each := runners_up(done, at))]
    decided = deciding(read_log(tuned.logs))
    models = [first, *(_variant(tuned, decided, tuner, choices) for choices in others)]
    return better_choices(done, others, layer_seconds(models))


def _variant(
    tuned: Request, decided: Sequence[Record], tuner: Tuner, choices: Choices
) -> RunnableModel:
    """Builds the network as the log has ``decided``, but for some layers."""
    with tempfile.TemporaryDirectory(prefix="tvm-patdnn-") as folder:
        file = Path(folder) / "log.jsonl"
        own = [tuner.decision(task, point) for task, point in choices.items()]
        append_records(file, [*decided, *own])
        model = build_requested(replace(tuned, logs=file)).runnable
    assert isinstance(model, RunnableModel), "the first is one"
    return model


def _choose(tuner: Tuner, choices: Choices) -> None:
    for task, point in choices.items():
        tuner.choose(task, point)


def _model(request: Request, place: Place) -> Model:
    return place.network(build_requested(request))
