import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning import (
    candidate_patterns,
    mine_patterns,
    nearest_patterns,
    project_patterns,
)
from tvm_patdnn.sparse.patterns import Pattern, find_patterns

DTYPES = st.sampled_from([np.float16, np.float32, np.float64])


def random_weight(seed: int, dtype=np.float32) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((6, 5, 3, 3)).astype(dtype)


@settings(deadline=None)
@given(st.integers(0, 99), DTYPES, st.integers(1, 12), st.integers(1, 9))
def test_the_projection_keeps_entries_of_the_set_and_is_idempotent(seed, dtype, count, entries):
    weight = random_weight(seed, dtype)
    patterns = mine_patterns([weight], count, entries)
    projected = project_patterns(weight, patterns)
    assert projected.dtype == dtype
    assert set(find_patterns(projected).patterns) <= set(patterns)
    assert np.array_equal(projected[projected != 0], weight[projected != 0])
    assert np.array_equal(project_patterns(projected, patterns), projected)


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 20))
def test_no_pattern_of_the_set_keeps_more_norm(seed, count):
    weight = random_weight(seed, np.float64)
    patterns = candidate_patterns((3, 3), 4)[:count]
    kept = np.square(project_patterns(weight, patterns)).sum(axis=(2, 3))
    for pattern in patterns:
        assert (np.square(weight * pattern.mask()).sum(axis=(2, 3)) <= kept + 1e-12).all()


def test_of_equal_patterns_the_first_wins():
    patterns = [Pattern.from_picture(p) for p in ("##/..", "../##")]
    assert nearest_patterns(np.ones((1, 1, 2, 2)), patterns).tolist() == [[0]]


def test_the_input_stays_as_it_is():
    weight = random_weight(0)
    before = weight.copy()
    project_patterns(weight, candidate_patterns((3, 3), 4))
    assert np.array_equal(weight, before)


def test_a_set_for_another_kernel_size_is_declined():
    with pytest.raises(PruningError, match=r"made for 2x2 kernels, got a weight with 3x3"):
        project_patterns(random_weight(0), [Pattern.from_picture("##/..")])


def test_an_empty_set_is_declined():
    with pytest.raises(PruningError, match="the pattern set is empty"):
        project_patterns(random_weight(0), [])
