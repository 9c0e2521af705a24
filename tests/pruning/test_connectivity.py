import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning import connectivity_mask, project_connectivity

RATES = st.floats(1, 1000)


def random_weight(seed: int, size: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((6, 5, size, size)).astype(np.float32)


@settings(deadline=None)
@given(st.integers(0, 99), RATES, st.sampled_from([1, 3, 5]))
def test_the_strongest_kernels_stay(seed, rate, size):
    weight = random_weight(seed, size)
    kept = connectivity_mask(weight, rate)
    assert kept.sum() == max(1, round(30 / rate))
    norms = np.linalg.norm(weight, axis=(2, 3))
    if not kept.all():
        assert norms[kept].min() >= norms[~kept].max() - 1e-6


@settings(deadline=None)
@given(st.integers(0, 99), RATES)
def test_the_projection_is_idempotent(seed, rate):
    once = project_connectivity(random_weight(seed), rate)
    assert np.array_equal(project_connectivity(once, rate), once)


def test_large_float16_weights_do_not_overflow():
    weight = np.array([200, 300, 60000], np.float16).reshape(1, 3, 1, 1)
    assert connectivity_mask(weight, 3).tolist() == [[False, False, True]]


def test_the_projection_keeps_dtype_and_input():
    weight = random_weight(0).astype(np.float16)
    before = weight.copy()
    assert project_connectivity(weight, 2).dtype == np.float16
    assert np.array_equal(weight, before)


@pytest.mark.parametrize("rate", [0.5, 0, -1, float("nan")])
def test_a_rate_below_one_is_declined(rate):
    with pytest.raises(PruningError, match=f"at least 1; got {rate}"):
        connectivity_mask(random_weight(0), rate)
