import numpy as np
import pytest

from tests.tuning.spaces import BEST, SPACE, seconds_of
from tvm_patdnn.tuning.history import History
from tvm_patdnn.tuning.search import DefaultSearch, GeneticSearch, RandomSearch
from tvm_patdnn.tuning.space import Space


def model(features):
    """Knows in which direction it gets faster, not by how much."""
    f = {name: np.array([each[name] for each in features]) for name in features[0]}
    apart = abs(f["rows"] - 5) + abs(f["vectors"] - 7) + 2 * abs(f["chunks"] - 3)
    return -apart - 10 * (f["sparse"] == 0)


SEARCHES = {
    "default": DefaultSearch(),
    "random": RandomSearch(seed=3),
    "genetic": GeneticSearch(seed=3),
    "genetic with a model": GeneticSearch(seed=3, score=model),
}


def run(search, trials: int, batch: int = 8, space: Space = SPACE) -> History:
    history = History()
    while len(history) < trials:
        proposed = search.propose(space, history, min(batch, trials - len(history)))
        if not proposed:
            break
        assert len(proposed) <= batch
        for each in proposed:
            assert each not in history.seconds
            history.add(each, seconds_of(each))
    return history


@pytest.mark.parametrize("name", SEARCHES)
def test_it_begins_with_the_starts(name):
    proposed = SEARCHES[name].propose(SPACE, History(), 2)
    assert proposed == list(SPACE.starts)


@pytest.mark.parametrize("name", SEARCHES)
def test_the_same_seed_measures_the_same(name):
    first, second = (list(run(SEARCHES[name], 40).seconds) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("kind", [RandomSearch, GeneticSearch])
def test_another_seed_measures_something_else(kind):
    assert run(kind(seed=1), 40).seconds != run(kind(seed=2), 40).seconds


def test_the_default_ends_after_the_starts():
    assert list(run(DefaultSearch(), 40).seconds) == list(SPACE.starts)


def test_random_search_ends_when_all_was_measured():
    space = Space(SPACE.points[:30], SPACE.points[:1], SPACE.describe)
    assert set(run(RandomSearch(), 99, space=space).seconds) == set(space.points)
    assert len(run(GeneticSearch(), 99, space=space)) == 30


def test_with_a_model_it_finds_the_best_in_a_fraction_of_the_space():
    assert run(GeneticSearch(score=model), 40).fastest(1) == [BEST]


def test_breeding_alone_beats_random_search():
    bred = [run(GeneticSearch(seed=seed), 120).best for seed in range(9)]
    random = [run(RandomSearch(seed=seed), 120).best for seed in range(9)]
    assert np.mean(bred) < np.mean(random)


def test_some_of_what_is_proposed_is_not_the_model_s_choice():
    history = run(GeneticSearch(score=model), 20)
    all_model = GeneticSearch(score=model, random_share=0.0).propose(SPACE, history, 20)
    some = GeneticSearch(score=model, random_share=0.5).propose(SPACE, history, 20)
    assert some[:10] == all_model[:10]
    assert not set(some[10:]) & set(all_model)
