"""Which configurations are measured next: three searches behind one interface.

Each is deterministic: what it proposes follows from its seed and from what was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tvm_patdnn.records.families import Configuration
from tvm_patdnn.tuning.history import History
from tvm_patdnn.tuning.space import Space

__all__ = ["DefaultSearch", "GeneticSearch", "RandomSearch", "Score", "Search"]

Features = Sequence[Mapping[str, float]]
Score = Callable[[Features], np.ndarray]  # the higher, the faster


class Search(Protocol):
    """Chooses what to measure."""

    def propose(self, space: Space, history: History, count: int) -> list[Configuration]:
        """Returns up to ``count`` configurations that were not measured; none at the end."""


@dataclass(frozen=True)
class DefaultSearch:
    """Measures what would be chosen without measuring, and nothing else."""

    def propose(self, space: Space, history: History, count: int) -> list[Configuration]:
        """See ``Search``."""
        return _first(_new(space.starts, history), count)


@dataclass(frozen=True, kw_only=True)
class RandomSearch:
    """Measures the starts and then any configurations."""

    seed: int = 0

    def propose(self, space: Space, history: History, count: int) -> list[Configuration]:
        """See ``Search``."""
        rng = np.random.default_rng([self.seed, len(history)])
        return _first(_new([*space.starts, *_any(space, rng)], history), count)


@dataclass(frozen=True, kw_only=True)
class GeneticSearch:
    """Breeds configurations from the fastest, and measures those that a model finds best.

    Source: PatDNN, section 5.5: a genetic exploration with a learned performance estimator.

    Attributes:
        score: of the model, given features; None while nothing was learned yet.
        population: of a generation.
        generations: bred between two measurements.
        random_share: of what is proposed that is not the model's choice, but any.
    """

    score: Score | None = None
    seed: int = 0
    population: int = 96
    generations: int = 3
    random_share: float = 0.15

    def propose(self, space: Space, history: History, count: int) -> list[Configuration]:
        """See ``Search``."""
        rng = np.random.default_rng([self.seed, len(history)])
        starts = _first(_new(space.starts, history), count)
        left = count - len(starts)
        if left == 0:
            return starts
        bred = self._bred(space, history, rng)
        from_model = max(1, round(left * (1 - self.random_share)))
        chosen = _first(_new(bred, history, starts), from_model)
        more = _new(_any(space, rng), history, [*starts, *chosen])
        return [*starts, *chosen, *_first(more, left - len(chosen))]

    def _bred(
        self, space: Space, history: History, rng: np.random.Generator
    ) -> list[Configuration]:
        """Returns the last generation, the best first as far as is known."""
        parents = history.fastest(self.population // 3) or list(space.starts)
        if self.score is None:
            return [_child(space, parents, rng) for _ in range(self.population)]
        alive = list(dict.fromkeys([*parents, *_first(_any(space, rng), self.population)]))
        for _ in range(self.generations):
            children = [_child(space, alive, rng) for _ in range(self.population)]
            alive = _sorted(space, list(dict.fromkeys([*alive, *children])), self.score)
            alive = alive[: self.population]
        return alive


def _sorted(space: Space, points: list[Configuration], score: Score) -> list[Configuration]:
    order = np.argsort(-score([space.describe(p) for p in points]), kind="stable")
    return [points[i] for i in order]


def _child(space: Space, alive: Sequence[Configuration], rng: np.random.Generator) -> Configuration:
    """Breeds one: those in front are parents more often."""
    one, other = (alive[int(len(alive) * rng.random() ** 2)] for _ in range(2))
    return space.crossed(one, other, rng) if rng.random() < 0.5 else space.mutated(one, rng)


def _any(space: Space, rng: np.random.Generator) -> Iterator[Configuration]:
    for i in rng.permutation(len(space.points)):
        yield space.points[int(i)]


def _new(
    points: Iterable[Configuration], history: History, taken: Iterable[Configuration] = ()
) -> Iterator[Configuration]:
    """Yields those that were not measured, each once."""
    seen = {*history.seconds, *taken}
    for point in points:
        if point not in seen:
            seen.add(point)
            yield point


def _first(points: Iterable[Configuration], count: int) -> list[Configuration]:
    return [point for point, _ in zip(points, range(count), strict=False)]
