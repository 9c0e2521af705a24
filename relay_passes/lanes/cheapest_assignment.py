"""Finds the values of variables whose costs, alone and in pairs, have the least sum.

This is dynamic programming over a graph: variables are taken out one by one, the one with the
fewest neighbours first, and what it would cost at best becomes a cost of its neighbours
(Bertele and Brioschi, Nonserial Dynamic Programming, 1972). On a chain that is the usual table of
two neighbours. A tree, or branches that join, as residual sums do, need one variable more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["cheapest_assignment"]

_MOST = 1 << 16  # numbers of a table; where more would be needed a variable keeps its first value


@dataclass(frozen=True)
class _Table:
    """Costs of some variables together, in the order of the axes."""

    names: tuple[int, ...]
    costs: np.ndarray

    def along(self, names: Sequence[int]) -> np.ndarray:
        """Returns the costs with an axis for each of ``names``, which are sorted as its own."""
        shape = [
            self.costs.shape[self.names.index(name)] if name in self.names else 1 for name in names
        ]
        return self.costs.reshape(shape)


def cheapest_assignment(
    alone: Sequence[np.ndarray], pairs: Mapping[tuple[int, int], np.ndarray]
) -> list[int]:
    """Returns the value of each variable.

    Args:
        alone: the costs of each variable's values; the first value is kept where the graph is too
            dense for tables of all values.
        pairs: by two variables, the first the smaller: (values of it, values of the other).
    """
    graph = _Graph(alone, pairs)
    taken: list[tuple[int, tuple[int, ...], np.ndarray]] = []
    while graph.left:
        name = min(graph.left, key=graph.size)
        if graph.size(name) <= _MOST:
            taken.append((name, *graph.take_out(name)))
        else:
            graph.keep_first(max(filter(graph.has_values, graph.left), key=graph.size))
    values = [0] * len(alone)
    for name, others, found in reversed(taken):
        values[name] = int(found[tuple(values[other] for other in others)])
    return values


class _Graph:
    """The variables that are left, and the tables that have each."""

    def __init__(
        self, alone: Sequence[np.ndarray], pairs: Mapping[tuple[int, int], np.ndarray]
    ) -> None:
        self._tables = {i: [_Table((i,), costs)] for i, costs in enumerate(alone)}
        for both, costs in pairs.items():
            for name in both:
                self._tables[name].append(_Table(both, costs))

    @property
    def left(self) -> list[int]:
        return list(self._tables)

    def size(self, name: int) -> int:
        """Returns how many numbers the table has that takes a variable out."""
        sizes = {
            other: size
            for table in self._tables[name]
            for other, size in zip(table.names, table.costs.shape, strict=True)
        }
        return math.prod(sizes.values())

    def has_values(self, name: int) -> bool:
        """Whether a variable has more than one value left."""
        table = self._tables[name][0]
        return table.costs.shape[table.names.index(name)] > 1

    def take_out(self, name: int) -> tuple[tuple[int, ...], np.ndarray]:
        """Returns a variable's neighbours, and the best of its values for each of theirs."""
        own = self._tables.pop(name)
        axes = sorted({other for table in own for other in table.names})
        costs = sum((table.along(axes) for table in own), np.zeros(()))
        at = axes.index(name)
        others = tuple(axes[:at] + axes[at + 1 :])
        left = _Table(others, costs.min(axis=at))
        for other in others:
            kept = [table for table in self._tables[other] if name not in table.names]
            self._tables[other] = [*kept, left]
        return others, costs.argmin(axis=at)

    def keep_first(self, name: int) -> None:
        """Leaves a variable its first value only."""
        for other, tables in self._tables.items():
            self._tables[other] = [_first(table, name) for table in tables]


def _first(table: _Table, name: int) -> _Table:
    if name not in table.names:
        return table
    return _Table(table.names, table.costs.take([0], axis=table.names.index(name)))
