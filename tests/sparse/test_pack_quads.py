import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvm_patdnn.sparse.pack_quads import pack_cells, pack_patterns, pack_taps
from tvm_patdnn.sparse.quads import Quads, group_starts


def random_weight(seed: int, *shape: int, keep: float = 0.4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.integers(-127, 128, shape) * (rng.random(shape) < keep)).astype(np.int8)


def unpacked(quads: Quads, shape: tuple[int, ...], places) -> np.ndarray:
    """The weight (filters, channels, taps), given (channel, tap) of each weight of an entry."""
    found = np.zeros((shape[0], shape[1], shape[2] * shape[3]), int)
    for g, first in enumerate(group_starts(shape[0], quads.group)):
        found[first : first + quads.group] = 0  # a filter may be in two groups
        for entry in range(quads.offset[g], quads.offset[g + 1]):
            for k, (channel, tap) in enumerate(places(quads.index[entry])):
                if channel < shape[1]:
                    found[first : first + quads.group, channel, tap] += quads.weight[entry, :, k]
    return found.reshape(shape)


def pattern_quads(weight: np.ndarray, group: int, **options: bool) -> Quads:
    return pack_patterns(weight, group, **options).quads


PACKERS = (pack_taps, pack_cells, pattern_quads)
SIZES = given(
    seed=st.integers(0, 10**6),
    filters=st.integers(1, 6),
    channels=st.integers(1, 9),
    group=st.integers(1, 4),
    keep=st.sampled_from([0.0, 0.2, 0.7, 1.0]),
)


@SIZES
def test_taps_hold_the_weight(seed, filters, channels, group, keep):
    weight = random_weight(seed, filters, channels, 2, 3, keep=keep)
    quads = pack_taps(weight, min(group, filters))
    places = lambda index: [divmod(int(each), 6) for each in index]  # noqa: E731
    assert np.array_equal(unpacked(quads, weight.shape, places), weight)


@SIZES
def test_cells_hold_the_weight(seed, filters, channels, group, keep):
    weight = random_weight(seed, filters, channels, 2, 3, keep=keep)
    quads = pack_cells(weight, min(group, filters))
    places = lambda index: [(4 * index[0] + k, index[1]) for k in range(4)]  # noqa: E731
    assert np.array_equal(unpacked(quads, weight.shape, places), weight)


@SIZES
def test_patterns_hold_the_weight(seed, filters, channels, group, keep):
    weight = random_weight(seed, filters, channels, 3, 3, keep=keep)
    packed = pack_patterns(weight, min(group, filters))
    places = lambda index: [(index[0], tap) for tap in packed.patterns[index[1]]]  # noqa: E731
    assert np.array_equal(unpacked(packed.quads, weight.shape, places), weight)


def test_kernels_that_lost_a_weight_keep_the_pattern_of_others():
    weight = np.zeros((2, 5, 3, 3), np.int8)
    weight[:, :, 1] = 7
    weight[:, :, 0, 0] = 7
    weight[1, 3, 1, 0] = 0
    packed = pack_patterns(weight, 1)
    assert packed.patterns == ((0, 3, 4, 5),)
    assert packed.quads.entries == 10


def test_blocks_are_stored_by_the_union_of_their_filters():
    weight = np.zeros((2, 3, 3, 3), np.int8)
    weight[0, 1, 0, :2] = 5
    weight[1, 1, 1, 1:] = 6
    packed = pack_patterns(weight, 2)
    assert packed.patterns == ((0, 1, 4, 5),)
    assert packed.quads.weight.tolist() == [[[5, 5, 0, 0], [0, 0, 6, 6]]]


def test_a_full_kernel_is_three_entries():
    packed = pack_patterns(np.ones((1, 1, 3, 3), np.int8), 1)
    assert packed.quads.entries == 3
    assert sorted(tap for pattern in packed.patterns for tap in pattern) == [*range(9)]


@pytest.mark.parametrize("pack", PACKERS)
def test_the_first_filters_may_have_no_weights(pack):
    weight = random_weight(0, 6, 8, 3, 3, keep=1.0)
    weight[:2] = 0
    quads = pack(weight, 2)
    assert quads.offset[1] == 0
    assert len(quads.index) == quads.entries == quads.offset[-1]


def test_filters_of_a_group_read_its_own_channels():
    weight = random_weight(0, 4, 2, 1, 1, keep=1.0)
    weight[weight == 0] = 1
    quads = pack_taps(weight, 1, groups=2)
    assert quads.index[0, :2].tolist() == [0, 1]
    assert quads.index[quads.offset[2], :2].tolist() == [2, 3]


@pytest.mark.parametrize("pack", PACKERS)
def test_zeros_are_kept_where_asked(pack):
    weight = random_weight(0, 4, 8, 3, 3, keep=0.1)
    dense = pack(np.ones_like(weight), 2)
    assert pack(weight, 2, sparse=False).entries == dense.entries
