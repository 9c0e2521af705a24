"""Decides for a whole network: what each layer gets in it, and whether tuning made it faster."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tvm_patdnn.builder import build_requested
from tvm_patdnn.compilation import Request
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.library import Library
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.records.record_files import append_records
from tvm_patdnn.tuning.choose_in_network import (
    Choices,
    better_choices,
    challengers,
    layer_seconds,
    variants,
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
        times: the same twice where no other kernel was worth a network.
        choices: of tasks that get another kernel than by default.
        layouts: whether some layers get other layouts.
        kept: whether the log says so; if not, it says what is built by default.
    """

    times: NetworkTimes
    choices: Choices
    layouts: bool
    kept: bool

    @property
    def tried(self) -> bool:
        """Whether a network with other kernels was measured."""
        return self.times.tuned_s != self.times.default_s


def settle_network(
    request: Request, tuner: Tuner, done: Sequence[TunedTask], place: Place = HERE
) -> Settled:
    """Measures the network by default and with what is faster, and keeps in the log what wins.

    Args:
        request: the network without the log.
        tuner: which has written the log.
        done: its tasks that were measured; for those of earlier runs what was decided is tried.

    Raises:
        TuningError: results differ.
    """
    tasks = [*done, *tuner.decided_before()]
    default = build_requested(request)
    trial = _Trial(request, tuner, tasks, place)
    better, elsewhere = _better(place.network(default), trial), _elsewhere(tasks)
    ways = [_Way(choices=better)] if better else []
    ways += [_Way(choices=better, elsewhere=elsewhere)] if elsewhere else []
    seconds = _compared([default, *map(trial.library, ways)], place)
    at = _fastest(seconds)
    way = ways[at - 1] if at else _Way(choices={})
    tuner.undecide([other for task in tasks for other in task.elsewhere])
    tuner.decide({**trial.all_of(way.choices), **way.elsewhere})
    times = NetworkTimes(
        default_s=seconds[0], tuned_s=seconds[at] if at else min(seconds[1:], default=seconds[0])
    )
    return Settled(times=times, choices=way.choices, layouts=bool(way.elsewhere), kept=at > 0)


def _fastest(seconds: Sequence[float]) -> int:
    """Returns which network is clearly faster than all before it."""
    best = 0
    for at, spent in enumerate(seconds):
        if spent < seconds[best] * _EVEN:
            best = at
    return best


@dataclass(frozen=True, kw_only=True)
class _Way:
    """What a network may be built of.

    Attributes:
        choices: of tasks that get another kernel than by default.
        elsewhere: of tasks in other layouts, which layers may have.
    """

    choices: Choices
    elsewhere: Choices = field(default_factory=dict)


@dataclass(frozen=True)
class _Trial:
    """A network that can be built with other kernels than by default."""

    request: Request
    tuner: Tuner
    tasks: Sequence[TunedTask]
    place: Place

    def all_of(self, choices: Choices) -> Choices:
        """Returns what each task has where some have ``choices``."""
        return {task: choices.get(task, task.default) for task in self.tasks}

    def library(self, way: _Way) -> Library:
        """Builds the network with some choices, and all else as it is by default."""
        with tempfile.TemporaryDirectory(prefix="tvm-patdnn-") as folder:
            file = Path(folder) / "log.jsonl"
            decided = {**self.all_of(way.choices), **way.elsewhere}
            append_records(file, self.tuner.decisions(decided))
            return build_requested(replace(self.request, logs=file))


def _better(default: Model, trial: _Trial) -> Choices:
    """Returns what is faster in the network; alone, where its layers cannot be timed there."""
    alone = {task: own[0] for task in trial.tasks if (own := challengers(task))}
    if not alone or not isinstance(default, RunnableModel):
        return alone
    try:
        (layers,) = layer_seconds([default])
    except LibraryError:
        return alone
    tried = variants(trial.tasks, list(layers))
    seconds = []
    for choices in tried:
        model = trial.place.network(trial.library(_Way(choices=choices)))
        assert isinstance(model, RunnableModel), "the default is one"
        before, after = layer_seconds([default, model])
        seconds.append((before, after))
    return better_choices(tried, seconds)


def _elsewhere(tasks: Sequence[TunedTask]) -> Choices:
    """Returns the fastest of each task in its other layouts, where any is faster there."""
    pairs = [(task, other) for task in tasks for other in task.elsewhere]
    if all(other.best_s >= task.best_s for task, other in pairs):
        return {}
    return {other: other.winner for _, other in pairs if other.finalists}


def _compared(libraries: Sequence[Library], place: Place) -> list[float]:
    """Returns the seconds of networks; of what seems faster than the first the slower of two tries.

    Where a library and its buffers come to lie in memory can make it faster, or slower, by more
    than all its schedules do: what is believed has been loaded twice.
    """
    first = compare_networks([place.network(each) for each in libraries])
    if min(first) >= first[0] * _EVEN:
        return first
    again = compare_networks([place.network(each) for each in libraries])
    shares = (max(a / first[0], b / again[0]) for a, b in zip(first, again, strict=True))
    return [first[0] * share for share in shares]
