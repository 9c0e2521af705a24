"""Takes turns: every system runs a little in each round, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from tvm_patdnn.bench.entrant import Entrant

__all__ = ["median_ratio", "race"]


def race(
    entrants: Sequence[Entrant], rounds: int, progress: Callable[[str], None] = lambda phase: None
) -> None:
    """Gives each entrant its turn in each round, each round in another order.

    Args:
        entrants: their ``turns`` and ``kernels`` are filled.
        rounds: how many.
        progress: told who runs.
    """
    for number in range(rounds):
        first = number % len(entrants)
        for entrant in [*entrants[first:], *entrants[:first]]:
            progress(f"round {number + 1}: {entrant.system.name}")
            entrant.turn(number)
            entrant.profile(number)


def median_ratio(entrant: Entrant, ours: Entrant) -> float | None:
    """Returns how many times as long as ours it takes: the median of the common rounds."""
    ratios = [
        median(seconds) / median(ours.turns[number])
        for number, seconds in entrant.turns.items()
        if number in ours.turns
    ]
    return median(ratios) if ratios else None
