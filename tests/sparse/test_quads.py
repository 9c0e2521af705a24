import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tvm_patdnn.sparse.pack_quads import pack_taps
from tvm_patdnn.sparse.quads import counted_offset, group_starts, without_overflow


def random_weight(seed: int, *shape: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.integers(-128, 128, shape) * (rng.random(shape) < 0.5)).astype(np.int8)


def test_the_last_group_of_filters_reaches_back():
    assert group_starts(7, 3).tolist() == [0, 3, 4]
    assert group_starts(6, 3).tolist() == [0, 3]


def test_an_entry_there_is_always():
    assert counted_offset(np.array([0, 0])).tolist() == [0, 1, 1]
    assert counted_offset(np.array([2, 0, 1])).tolist() == [0, 2, 2, 3]
    assert counted_offset(np.array([0, 2])).tolist() == [0, 0, 2]


def test_four_weights_are_one_number():
    quads = pack_taps(random_weight(0, 3, 4, 1, 1), 1)
    assert quads.words.dtype == np.int32
    assert np.array_equal(quads.words.view(np.int8).reshape(-1, 1, 4), quads.weight)


@given(seed=st.integers(0, 1000), group=st.integers(1, 4), limit=st.sampled_from([128, 255]))
def test_no_pair_passes_the_limit_and_sums_stay(seed, group, limit):
    quads = pack_taps(random_weight(seed, 5, 6, 1, 2), group)
    safe = without_overflow(quads, limit)
    pairs = safe.weight.astype(int).reshape(safe.entries, -1, 2)
    for sign in (1, -1):
        assert np.maximum(sign * pairs, 0).sum(axis=2).max() <= limit
    values = np.random.default_rng(0).integers(0, 256, 12)
    for g in range(len(quads.offset) - 1):
        sums = [
            np.einsum(
                "efk,ek->f",
                each.weight[each.offset[g] : each.offset[g + 1]].astype(int),
                values[each.index[each.offset[g] : each.offset[g + 1]]],
            )
            for each in (quads, safe)
        ]
        assert np.array_equal(*sums)


def test_nothing_is_copied_where_nothing_overflows():
    quads = pack_taps(np.full((2, 4, 1, 1), 64, np.int8), 1)
    assert without_overflow(quads, 128) is quads
