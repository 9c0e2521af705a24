"""The configurations that a task can have, and how the search moves between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tvm_patdnn.records.families import Configuration

__all__ = ["Space"]

_TRIES = 16  # to change one choice so that the result is still in the space
Genes = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Space:
    """All configurations of one task, of any family.

    Constraints need no code here: what breaks them is not among the points.

    Attributes:
        points: all of them.
        starts: those that are measured first: what is built by default, and what it was
            compared with.
        describe: returns the features of one, by name; ``COST`` is what the family's own cost
            model expects, if it has one.
    """

    points: Sequence[Configuration]
    starts: Sequence[Configuration]
    describe: Callable[[Configuration], Mapping[str, float]]

    def random(self, rng: np.random.Generator) -> Configuration:
        """Returns any point."""
        return self.points[int(rng.integers(len(self.points)))]

    def mutated(self, point: Configuration, rng: np.random.Generator) -> Configuration:
        """Returns a point with another value of one choice; any point where there is none."""
        genes = self._genes(point)
        for _ in range(_TRIES):
            at = int(rng.integers(len(genes)))
            values = self._values[at]
            value = values[int(rng.integers(len(values)))]
            other = self._by_genes.get((*genes[:at], value, *genes[at + 1 :]))
            if other is not None and value != genes[at]:
                return other
        return self.random(rng)

    def crossed(
        self, one: Configuration, other: Configuration, rng: np.random.Generator
    ) -> Configuration:
        """Returns a point with each choice from one of two; ``one`` mutated where there is none."""
        pairs = list(zip(self._genes(one), self._genes(other), strict=True))
        for _ in range(_TRIES):
            picks = rng.integers(2, size=len(pairs))
            child = self._by_genes.get(tuple(pair[k] for pair, k in zip(pairs, picks, strict=True)))
            if child is not None and child not in (one, other):
                return child
        return self.mutated(one, rng)

    @cached_property
    def _by_genes(self) -> dict[Genes, Configuration]:
        return {self._genes(point): point for point in self.points}

    @cached_property
    def _values(self) -> list[list[Any]]:
        """The values of each choice, in the order in which points have them."""
        return [list(dict.fromkeys(column)) for column in zip(*self._by_genes, strict=True)]

    @cached_property
    def _names(self) -> list[str]:
        """The choices of all kinds of points, which need not have the same ones."""
        return list(dict.fromkeys(name for point in self.points for name in point.to_json()))

    def _genes(self, point: Configuration) -> Genes:
        values = point.to_json()
        return tuple(values.get(name) for name in self._names)
