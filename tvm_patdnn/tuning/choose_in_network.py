"""Chooses again among the finalists of each layer: by their time in the network.

Alone a kernel finds its inputs where no layer before left them, and shares no cache with what
comes behind. So some networks are built, one of what was the fastest alone, one of what came next,
and so on; of each layer that kernel is taken which is the fastest there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from tvm_patdnn.evaluation.random_inputs import random_inputs
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.records.families import Configuration
from tvm_patdnn.tuning.tuner import TunedTask

__all__ = ["NETWORKS", "Choices", "better_choices", "layer_seconds", "runners_up"]

NETWORKS = 4  # as many as there are finalists of a kind: three, and what the cost model chooses
_TURNS = 9
_RUNS = 3  # of each turn
_CLEAR = 0.99  # of the time of what was chosen alone

Choices = Mapping[TunedTask, Configuration]


def runners_up(done: Sequence[TunedTask], place: int) -> Choices:
    """Returns what came in at a place alone, 0 for the first, of the tasks that have as many.

    They are of the winner's kind: whether pruned work is skipped is not asked again.
    """
    ranked = {task: [p for p in task.finalists if p.sparse == task.winner.sparse] for task in done}
    return {task: points[place] for task, points in ranked.items() if place < len(points)}


def layer_seconds(models: Sequence[RunnableModel]) -> list[dict[str, float]]:
    """Measures each layer of some networks, which take turns.

    Returns:
        Median seconds by the layer's name, of each network; those of layers in one kernel by the
        name of the first.
    """
    inputs = random_inputs(models[0].inputs)
    turns = [[model.time_layers(inputs, _RUNS) for model in models] for _ in range(_TURNS)]
    return [
        {name.split(" + ")[0]: median(turn[name] for turn in own) for name in own[0]}
        for own in zip(*turns, strict=True)
    ]


def better_choices(
    done: Sequence[TunedTask], others: Sequence[Choices], seconds: Sequence[Mapping[str, float]]
) -> Choices:
    """Returns the choices that are clearly faster in the network than the winner alone.

    Args:
        others: of each network but the first.
        seconds: see ``layer_seconds``; the first network has the winners.
    """
    first, *rest = seconds
    better: dict[TunedTask, Configuration] = {}
    for task in done:
        names = [name for name in task.task.layers if name in first]
        least = _CLEAR * sum(first[name] for name in names)
        for choices, found in zip(others, rest, strict=True):
            spent = sum(found[name] for name in names)
            if task in choices and spent < least:
                better[task], least = choices[task], spent
    return better
