import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning import (
    candidate_patterns,
    count_natural_patterns,
    mine_patterns,
    natural_masks,
)
from tvm_patdnn.sparse.patterns import Pattern


def test_there_are_56_candidates_of_four_entries_with_the_centre():
    candidates = candidate_patterns((3, 3), 4)
    assert len(set(candidates)) == 56
    assert all((1, 1) in pattern.taps and len(pattern) == 4 for pattern in candidates)


@pytest.mark.parametrize(
    ("kernel_shape", "entries", "count"), [((2, 2), 2, 6), ((3, 1), 1, 1), ((5, 5), 2, 24)]
)
def test_candidates_of_other_kernels(kernel_shape, entries, count):
    assert len(candidate_patterns(kernel_shape, entries)) == count


def test_the_natural_pattern_keeps_the_centre_and_the_largest():
    kernel = np.array([[9, -8, 1], [2, 0, 3], [4, -7, 5]], np.float16)
    masks = natural_masks(kernel[None, None], 4)
    assert str(Pattern.from_mask(masks[0, 0])) == "##./.#./.#."


def test_a_kernel_without_centre_keeps_its_largest():
    masks = natural_masks(np.array([[1.0, -3.0], [2.0, 0.5]])[None, None], 2)
    assert str(Pattern.from_mask(masks[0, 0])) == ".#/#."


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(0, 99))
def test_natural_patterns_have_exactly_the_entries_and_keep_the_most_norm(entries, seed):
    weight = np.random.default_rng(seed).standard_normal((4, 3, 3, 3))
    masks = natural_masks(weight, entries)
    assert (masks.sum(axis=(2, 3)) == entries).all()
    energy = np.square(weight)
    best = np.max([(energy * p.mask()).sum((2, 3)) for p in candidate_patterns((3, 3), entries)], 0)
    assert np.allclose((energy * masks).sum(axis=(2, 3)), best)


def test_mining_takes_the_most_frequent_over_all_layers():
    pictures = ["##./##./...", ".../.##/.##", ".#./###/..."]
    first, second, third = (Pattern.from_picture(p).mask().astype(float) for p in pictures)
    layers = [np.stack([[first, second, second]]), np.stack([[third, third, third]])]
    mined = mine_patterns(layers, 2, 4)
    assert [str(pattern) for pattern in mined] == [pictures[2], pictures[1]]


def test_mining_returns_fewer_where_fewer_exist():
    assert len(mine_patterns([np.ones((2, 2, 3, 3))], 8, 4)) == 1


def test_kernels_of_zeros_are_not_counted():
    weight = np.zeros((2, 2, 3, 3))
    weight[0, 0] = 1
    assert sum(count_natural_patterns([weight], 4).values()) == 1


@pytest.mark.parametrize("entries", [0, 10])
def test_entries_that_do_not_fit_are_declined(entries):
    with pytest.raises(PruningError, match=f"3x3 kernel can keep 1 to 9 entries, got {entries}"):
        mine_patterns([np.ones((1, 1, 3, 3))], 8, entries)


def test_a_set_of_none_is_declined():
    with pytest.raises(PruningError, match="at least 1 pattern, got count=0"):
        mine_patterns([np.ones((1, 1, 3, 3))], 0, 4)
