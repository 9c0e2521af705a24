import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning import balanced_connectivity_mask


def random_weight(seed: int, in_c: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((4, in_c, 3, 3))


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 40), st.floats(1, 20), st.integers(1, 20))
def test_every_filter_keeps_equally_many_in_every_block(seed, in_c, rate, block):
    kept = balanced_connectivity_mask(random_weight(seed, in_c), rate, channel_block=block)
    assert (kept.sum(axis=1) == max(1, round(in_c / rate))).all()
    per_block = np.add.reduceat(kept, np.arange(0, in_c, block), axis=1, dtype=int)
    assert (per_block == per_block[0]).all()
    whole_blocks = per_block[0][: in_c // block]
    assert np.ptp(whole_blocks) <= 1 if len(whole_blocks) else True


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 40), st.floats(1, 20))
def test_doing_it_twice_changes_nothing(seed, in_c, rate):
    weight = random_weight(seed, in_c)
    kept = balanced_connectivity_mask(weight, rate, channel_block=8)
    again = balanced_connectivity_mask(weight * kept[:, :, None, None], rate, channel_block=8)
    assert np.array_equal(again, kept)


def test_within_a_block_the_strongest_stay():
    weight = np.array([[1, 5, 2, 9], [3, 1, 1, 2]], float).reshape(2, 4, 1, 1)
    kept = balanced_connectivity_mask(weight, 2, channel_block=2)
    assert kept.tolist() == [[False, True, False, True], [True, False, False, True]]


def test_the_odd_kernel_goes_where_it_keeps_the_most():
    weight = np.array([9, 1, 8, 7], float).reshape(1, 4, 1, 1)
    kept = balanced_connectivity_mask(weight, 4 / 3, channel_block=2)
    assert kept.tolist() == [[True, False, True, True]]


def test_a_block_of_none_is_declined():
    with pytest.raises(PruningError, match="channel_block must be at least 1, got 0"):
        balanced_connectivity_mask(random_weight(0, 4), 2, channel_block=0)
