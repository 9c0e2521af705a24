import numpy as np
import pytest

from tests.sparse.test_pack_quads import SIZES, random_weight, unpacked
from tvm_patdnn.sparse.pack_quads import pack_patterns, pack_taps
from tvm_patdnn.sparse.pair_weights import pair_patterns, pair_taps
from tvm_patdnn.sparse.quads import UNLIMITED, overflows


@SIZES
def test_taps_still_hold_the_weight(seed, filters, channels, group, keep):
    weight = random_weight(seed, filters, channels, 2, 3, keep=keep)
    quads = pair_taps(pack_taps(weight, min(group, filters)), 128)
    places = lambda index: [divmod(int(each), 6) for each in index]  # noqa: E731
    assert np.array_equal(unpacked(quads, weight.shape, places), weight)


@SIZES
def test_patterns_still_hold_the_weight(seed, filters, channels, group, keep):
    weight = random_weight(seed, filters, channels, 3, 3, keep=keep)
    packed = pair_patterns(pack_patterns(weight, min(group, filters)), 128)
    assert packed.quads.index[:, 1].max() < len(packed.patterns)
    places = lambda index: [(index[0], tap) for tap in packed.patterns[index[1]]]  # noqa: E731
    assert np.array_equal(unpacked(packed.quads, weight.shape, places), weight)


def test_large_weights_of_one_sign_are_kept_apart():
    weight = np.zeros((1, 1, 3, 3), np.int8)
    weight[0, 0].reshape(-1)[[0, 1, 4, 8]] = (100, 90, -80, 5)
    packed = pair_patterns(pack_patterns(weight, 1), 128)
    assert packed.patterns == ((0, 4, 1, 8),)
    assert packed.quads.weight.tolist() == [[[100, -80, 90, 5]]]


def test_a_pattern_of_three_taps_has_a_hole_where_it_helps():
    weight = np.zeros((1, 1, 3, 3), np.int8)
    weight[0, 0].reshape(-1)[[0, 1, 4]] = (100, 90, 80)
    packed = pair_patterns(pack_patterns(weight, 1), 170)
    assert packed.patterns == ((0, 0, 1, 4),)
    assert packed.quads.weight.tolist() == [[[100, 0, 90, 80]]]


def test_any_weights_of_a_filter_may_be_neighbours():
    weight = np.array([100, 100, 100, 100, -100, -100, -100, -100], np.int8).reshape(1, 8, 1, 1)
    quads = pack_taps(weight, 1)
    assert overflows(quads.weight, 128).all()
    assert not overflows(pair_taps(quads, 128).weight, 128).any()


@pytest.mark.parametrize("group", [1, 2, 4])
def test_far_fewer_weights_are_stored_twice(group):
    rng = np.random.default_rng(0)
    kept = np.repeat(rng.random((64 // group, 256)) < 0.28, group, axis=0)
    values = np.clip(rng.normal(0, 36, (64, 256)), -127, 127)
    large = kept * np.sign(values) * np.maximum(np.abs(values), 40)
    weight = large.astype(np.int8).reshape(64, 256, 1, 1)
    quads = pack_taps(weight, group)
    before, after = (overflows(q.weight, 128).mean() for q in (quads, pair_taps(quads, 128)))
    assert after < 0.4 * before


def test_nothing_moves_where_nothing_can_overflow():
    weight = random_weight(0, 4, 8, 3, 3, keep=1.0)
    quads, packed = pack_taps(weight, 2), pack_patterns(weight, 2)
    assert pair_taps(quads, UNLIMITED) is quads
    assert pair_patterns(packed, UNLIMITED) is packed
    small = pack_taps(np.where(weight > 0, 5, -5).astype(np.int8), 2)
    assert pair_taps(small, 128) is small
