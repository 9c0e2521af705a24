"""Chooses a connectivity rate for each layer, so that the whole network reaches a goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.sensitivity import Sensitivity

__all__ = ["allocate_by_sensitivity", "allocate_uniformly", "harms"]

Table = Mapping[str, Mapping[float, float]]  #: a number for each layer and rate

_LEAST_HARM = 1e-9


def allocate_uniformly(costs: Table, goal: float) -> dict[str, float]:
    """Returns the lowest rate that reaches the goal in all layers alike.

    Args:
        costs: of each layer at each rate, the same rates for all; what is counted is free.
        goal: that the sum of costs is not to exceed.

    Raises:
        TrainingError: the highest rate does not reach it.
    """
    rates = sorted(next(iter(costs.values())))
    for rate in rates:
        if sum(by_rate[rate] for by_rate in costs.values()) <= goal:
            return dict.fromkeys(costs, rate)
    raise _unreachable(costs, goal)


def allocate_by_sensitivity(costs: Table, harm: Table, goal: float) -> dict[str, float]:
    """Raises rates where that saves the most for the least harm, until the goal is reached.

    Every layer starts at its lowest rate; each step raises one layer to a higher one, that
    of the smallest added harm per cost saved.

    Args:
        costs, goal: as ``allocate_uniformly``.
        harm: of each layer at each rate, not falling with the rate.

    Raises:
        TrainingError: the highest rates do not reach the goal.
    """
    chosen = {layer: min(by_rate) for layer, by_rate in costs.items()}
    while sum(costs[layer][rate] for layer, rate in chosen.items()) > goal:
        steps = [
            (_price(costs[layer], harm[layer], chosen[layer], rate), layer, rate)
            for layer in costs
            for rate in costs[layer]
            if rate > chosen[layer] and costs[layer][rate] < costs[layer][chosen[layer]]
        ]
        if not steps:
            raise _unreachable(costs, goal)
        _, layer, rate = min(steps)
        chosen[layer] = rate
    return chosen


def harms(rows: Sequence[Sensitivity]) -> dict[str, dict[float, float]]:
    """Returns how much the loss rises by layer and rate, made to never fall with the rate.

    A rise within the noise of a scan, or a fall, counts as none.
    """
    table: dict[str, dict[float, float]] = {}
    for row in sorted(rows, key=lambda row: row.rate):
        by_rate = table.setdefault(row.layer, {})
        by_rate[row.rate] = max([0.0, row.loss_rise, *by_rate.values()])
    return table


def _price(
    cost: Mapping[float, float], harm: Mapping[float, float], old: float, new: float
) -> float:
    return (harm[new] - harm[old] + _LEAST_HARM) / (cost[old] - cost[new])


def _unreachable(costs: Table, goal: float) -> TrainingError:
    least = sum(min(by_rate.values()) for by_rate in costs.values())
    most = max(rate for by_rate in costs.values() for rate in by_rate)
    return TrainingError(
        f"the goal cannot be reached: it leaves {goal:,.0f} to the layers that are to be pruned, "
        f"which need {least:,.0f} even at {most:g}x; choose an easier goal, or prune more layers"
    )
