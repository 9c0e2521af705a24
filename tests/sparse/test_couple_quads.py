import numpy as np
import pytest

from tests.sparse.test_pack_quads import SIZES, random_weight, unpacked
from tvm_patdnn.sparse.couple_quads import couple_entries
from tvm_patdnn.sparse.pack_quads import pack_cells
from tvm_patdnn.sparse.quads import Quads, without_overflow

LIMIT = 128


def couples(quads: Quads) -> np.ndarray:
    """The entries that are coupled: (couples, 2, group, 4)."""
    begins = zip(quads.offset, quads.coupled, strict=False)
    own = np.concatenate([np.arange(begin, end) for begin, end in begins])
    return quads.weight[own].astype(int).reshape(-1, 2, quads.group, 4)


def dense(sigma: float, group: int, channels: int = 64) -> Quads:
    rng = np.random.default_rng(0)
    weight = np.clip(np.rint(rng.normal(0, sigma, (8, channels, 3, 3))), -127, 127)
    return without_overflow(pack_cells(weight.astype(np.int8), group), LIMIT)


@SIZES
def test_entries_still_hold_the_weight(seed, filters, channels, group, keep):
    weight = random_weight(seed, filters, channels, 2, 3, keep=keep)
    quads = couple_entries(pack_cells(weight, min(group, filters)), LIMIT)
    places = lambda index: [(4 * index[0] + k, index[1]) for k in range(4)]  # noqa: E731
    assert np.array_equal(unpacked(quads, weight.shape, places), weight)
    assert ((quads.coupled - quads.offset[:-1]) % 2 == 0).all()
    assert (quads.coupled <= quads.offset[1:]).all()


@pytest.mark.parametrize("group", [1, 2, 4])
def test_the_largest_sums_of_couples_fit_in_16_bits(group):
    found = couples(couple_entries(dense(36, group), LIMIT))
    for sign in (1, -1):
        pairs = np.maximum(sign * found, 0).reshape(len(found), 2, group, 2, 2)
        assert 100 < pairs.sum((1, 4)).max() <= LIMIT


@pytest.mark.parametrize(("group", "share"), [(1, 0.95), (2, 0.9), (4, 0.8)])
def test_most_entries_of_dense_layers_are_coupled(group, share):
    quads = couple_entries(dense(36, group), LIMIT)
    assert 2 * len(couples(quads)) > share * quads.entries


def test_entries_that_are_coupled_read_inputs_that_are_near():
    quads = couple_entries(dense(30, 2, channels=512), LIMIT)
    coupled = slice(quads.offset[0], quads.coupled[0])
    cell = quads.index[coupled, 0].reshape(-1, 2)
    assert np.mean(np.abs(np.diff(cell, axis=1)) <= 2) > 0.7
    assert (np.diff(cell[:, 0]) >= 0).mean() > 0.9


def test_large_weights_stay_alone():
    weight = np.full((2, 8, 1, 1), 127, np.int8)
    quads = couple_entries(pack_cells(weight, 1), LIMIT)
    assert np.array_equal(quads.coupled, quads.offset[:-1])
