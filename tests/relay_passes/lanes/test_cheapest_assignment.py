"""Dynamic programming over a graph, against all assignments."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from relay_passes.lanes import cheapest_assignment as module
from relay_passes.lanes.cheapest_assignment import cheapest_assignment

CHAIN = [(0, 1), (1, 2), (2, 3), (3, 4)]
RESIDUAL = [*CHAIN, (0, 2), (2, 4)]
TREE = [(0, 1), (0, 2), (1, 3), (1, 4)]
COMPLETE = list(itertools.combinations(range(5), 2))
APART = [(0, 1), (3, 4)]


def costs_of(sizes, edges, seed=0):
    rng = np.random.default_rng(seed)
    alone = [rng.random(size) for size in sizes]
    return alone, {(i, j): 2 * rng.random((sizes[i], sizes[j])) for i, j in edges}


def total(values, alone, pairs):
    own = sum(costs[value] for costs, value in zip(alone, values, strict=True))
    return own + sum(costs[values[i], values[j]] for (i, j), costs in pairs.items())


@pytest.mark.parametrize("edges", [CHAIN, RESIDUAL, TREE, COMPLETE, APART, []])
@pytest.mark.parametrize("seed", range(3))
def test_no_other_assignment_is_cheaper(edges, seed):
    sizes = [2, 3, 1, 4, 3]
    alone, pairs = costs_of(sizes, edges, seed)
    found = cheapest_assignment(alone, pairs)
    every = itertools.product(*(range(size) for size in sizes))
    assert total(found, alone, pairs) == min(total(values, alone, pairs) for values in every)


def test_a_graph_that_is_too_dense_keeps_first_values(monkeypatch):
    alone, pairs = costs_of([3] * 5, COMPLETE)
    monkeypatch.setattr(module, "_MOST", 1)
    assert cheapest_assignment(alone, pairs) == [0] * 5
    monkeypatch.setattr(module, "_MOST", 9)
    found = cheapest_assignment(alone, pairs)
    assert total(found, alone, pairs) <= total([0] * 5, alone, pairs)


def test_long_chains_take_no_time():
    alone, pairs = costs_of([4] * 500, [(i, i + 1) for i in range(499)])
    assert len(cheapest_assignment(alone, pairs)) == 500


def test_nothing_has_no_values():
    assert cheapest_assignment([], {}) == []
