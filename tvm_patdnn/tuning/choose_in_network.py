"""Chooses among the finalists of each layer: by their time in the network.

Alone a kernel finds its inputs where no layer before left them, and how its threads share the work
decides in which caches its reader finds the outputs: layers that are faster alone can make those
behind them slower by more. So networks are built that differ from the default in some layers, no
two of them neighbours, and a kernel is taken where the layers and those behind them together are
clearly faster than by default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

from tvm_patdnn.evaluation.random_inputs import random_inputs
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.records.families import Configuration
from tvm_patdnn.tuning.tuner import TunedTask

__all__ = ["OTHERS", "Choices", "better_choices", "challengers", "layer_seconds", "variants"]

OTHERS = 2  # finalists of a task that are tried in the network
_TURNS = 9
_RUNS = 3  # of each turn
_CLEAR = 0.985  # of the default's time

Choices = Mapping[TunedTask, Configuration]


def challengers(task: TunedTask) -> list[Configuration]:
    """Returns the finalists that are worth a try: what was faster alone than the default."""
    return [
        point
        for point, seconds in task.finalists.items()
        if point != task.default and seconds < task.default_s
    ][:OTHERS]


def variants(tasks: Sequence[TunedTask], layers: Sequence[str]) -> list[Choices]:
    """Returns what networks are built of: in each some tasks have a challenger.

    Args:
        layers: names of the network's layers, in order.
    """
    groups = _apart([task for task in tasks if challengers(task)], layers)
    tried = [
        {task: own[at] for task in group if at < len(own := challengers(task))}
        for group in groups
        for at in range(OTHERS)
    ]
    return [choices for choices in tried if choices]


def _apart(tasks: Sequence[TunedTask], layers: Sequence[str]) -> list[list[TunedTask]]:
    """Returns the tasks in groups in which none has a layer next to one of another."""
    task_of = {name: task for task in tasks for name in task.task.layers}
    beside = {(task_of.get(one), task_of.get(other)) for one, other in pairwise(layers)}
    groups: list[list[TunedTask]] = []
    for task in tasks:
        for group in groups:
            if not any((task, each) in beside or (each, task) in beside for each in group):
                group.append(task)
                break
        else:
            groups.append([task])
    return groups


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
    tried: Sequence[Choices], seconds: Sequence[tuple[Mapping[str, float], Mapping[str, float]]]
) -> Choices:
    """Returns the choices that are clearly faster in the network than the default.

    Args:
        seconds: of the layers by default and with each of the choices, see ``layer_seconds``.
    """
    better: dict[TunedTask, tuple[float, Configuration]] = {}
    for choices, (before, after) in zip(tried, seconds, strict=True):
        for task, point in choices.items():
            concerned = _with_those_behind(task.task.layers, list(before))
            spent = sum(after[name] for name in concerned)
            share = spent / sum(before[name] for name in concerned) if concerned else 1.0
            if share < better.get(task, (_CLEAR, point))[0]:
                better[task] = share, point
    return {task: point for task, (_, point) in better.items()}


def _with_those_behind(names: Sequence[str], layers: Sequence[str]) -> list[str]:
    """Returns the layers of some names, and of each the next one."""
    behind = {other for one, other in pairwise(layers) if one in names}
    return [name for name in layers if name in names or name in behind]
