import numpy as np
import pytest

from tests.tuning.spaces import SPACE, point
from tvm_patdnn.tuning.space import Space


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def differences(one, other) -> int:
    pairs = zip(one.to_json().values(), other.to_json().values(), strict=True)
    return sum(a != b for a, b in pairs)


def test_a_mutation_changes_one_choice_and_stays_in_the_space(rng):
    for _ in range(200):
        before = SPACE.random(rng)
        after = SPACE.mutated(before, rng)
        assert after in SPACE.points
        assert differences(before, after) == 1


def test_a_cross_takes_each_choice_from_a_parent(rng):
    one, other = point(1, 2, 3, sparse=False), point(4, 5, 6, sparse=True)
    children = {SPACE.crossed(one, other, rng) for _ in range(200)}
    assert children == {
        point(rows, vectors, chunks, sparse=sparse)
        for rows in (1, 4)
        for vectors in (2, 5)
        for chunks in (3, 6)
        for sparse in (False, True)
    } - {one, other}


def test_where_no_child_is_in_the_space_it_is_another_point(rng):
    one, other = point(1, 1, 1, sparse=False), point(9, 9, 9, sparse=True)
    space = Space((one, other), (one,), lambda _: {})
    assert {space.crossed(one, other, rng) for _ in range(50)} <= {one, other}
    assert {space.mutated(one, rng) for _ in range(50)} == {one, other}
