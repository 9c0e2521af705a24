from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sparse.masks import SHAPES, full_pattern, masks, numbered
from tvm_patdnn.sparse.fkw import pack_fkw
from tvm_patdnn.sparse.patterns import find_patterns


def pack_found(weight: np.ndarray):
    found = find_patterns(weight)
    return pack_fkw(weight, found.ids, found.patterns)


@settings(deadline=None)
@given(masks())
def test_a_pruned_weight_is_packed_and_read_back(mask):
    weight = numbered(mask)
    fkw = pack_found(weight)
    assert len(fkw.weight) == np.count_nonzero(weight)
    assert len(fkw.index) == find_patterns(weight).kept_kernels
    # A layer without a weight has no pattern that would tell the size of its kernels.
    back = fkw.unpack()
    assert np.array_equal(back, weight if mask.any() else weight[:, :, :1, :1])


@settings(deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 5), st.sampled_from(SHAPES), st.sampled_from([1, 2, 3, 4, 8])
)
def test_groups_of_filters_share_a_list(filters, channels, kernel_shape, group):
    weight = numbered(np.ones((filters, channels, *kernel_shape), bool))
    ids = np.zeros((filters, channels), np.int32)
    fkw = pack_fkw(weight, ids, [full_pattern(*kernel_shape)], group)
    assert fkw.groups == -(-filters // group)
    assert len(fkw.index) == fkw.groups * channels
    assert len(fkw.reorder) == fkw.groups * group
    assert np.array_equal(fkw.unpack(), weight)


@settings(deadline=None)
@given(masks(), st.integers(1, 10))
def test_bands_of_channels_are_stored_one_after_the_other(mask, band):
    weight = numbered(mask)
    found = find_patterns(weight)
    fkw = pack_fkw(weight, found.ids, found.patterns, band=band)
    channels = mask.shape[1]
    assert fkw.bands == -(-channels // band)
    assert len(fkw.offset) == fkw.bands * fkw.groups + 1
    slots = np.repeat(np.arange(fkw.bands * fkw.groups), np.diff(fkw.offset))
    assert np.array_equal(fkw.index // band, slots // fkw.groups)
    assert fkw.kernel_counts == found.counts
    assert np.array_equal(fkw.unpack(), weight if mask.any() else weight[:, :, :1, :1])


@settings(deadline=None)
@given(masks(), st.integers(1, 10), st.integers(1, 5))
def test_chunks_weigh_all_bands_of_a_filter(mask, band, chunks):
    weight = numbered(mask)
    found = find_patterns(weight)
    whole = pack_fkw(weight, found.ids, found.patterns)
    banded = pack_fkw(weight, found.ids, found.patterns, band=band)
    assert np.array_equal(whole.balanced_chunks(chunks), banded.balanced_chunks(chunks))


def test_groups_are_sorted_by_their_kernels():
    mask = np.zeros((6, 3, 1, 1), bool)
    mask[:2, 0] = mask[2:4] = mask[4:, 1:] = True  # 1, 3 and 2 kernels
    weight = numbered(mask)
    fkw = pack_fkw(weight, np.where(mask[:, :, 0, 0], 0, -1), [full_pattern(1, 1)], group=2)
    assert fkw.reorder.tolist() == [2, 3, 4, 5, 0, 1]
    assert np.diff(fkw.offset).tolist() == [3, 2, 1]
    assert np.array_equal(fkw.unpack(), weight)


def test_groups_are_of_any_filters_with_the_same_kernels():
    mask = np.zeros((6, 3, 1, 1), bool)
    mask[[0, 3], 0] = mask[[1, 4]] = mask[[2, 5], 1:] = True  # 1, 3 and 2 kernels
    weight = numbered(mask)
    fkw = pack_fkw(weight, np.where(mask[:, :, 0, 0], 0, -1), [full_pattern(1, 1)], group=2)
    assert fkw.reorder.tolist() == [1, 4, 2, 5, 0, 3]
    assert np.array_equal(fkw.unpack(), weight)


def test_the_last_group_repeats_its_last_filter():
    weight = numbered(np.ones((5, 2, 1, 1), bool))
    fkw = pack_fkw(weight, np.zeros((5, 2), np.int32), [full_pattern(1, 1)], group=3)
    assert fkw.reorder.tolist() == [0, 1, 2, 3, 4, 4]
    assert fkw.weight.tolist() == [1, 3, 5, 2, 4, 6, 7, 9, 9, 8, 10, 10]


@settings(deadline=None)
@given(masks(), st.integers(1, 4))
def test_grouped_convolutions_keep_absolute_channels(mask, groups):
    weight = numbered(np.concatenate([mask] * groups))
    filters, channels = mask.shape[:2]
    found = find_patterns(weight)
    ids = np.full((groups * filters, groups * channels), -1, np.int32)
    expected = np.zeros((*ids.shape, *weight.shape[2:]), np.float32)
    for g in range(groups):
        rows = slice(g * filters, (g + 1) * filters)
        columns = slice(g * channels, (g + 1) * channels)
        ids[rows, columns] = found.ids[rows]
        expected[rows, columns] = weight[rows]
    back = pack_fkw(weight, ids, found.patterns).unpack()
    assert np.array_equal(back, expected if mask.any() else expected[:, :, :1, :1])


@settings(deadline=None)
@given(masks())
def test_patterns_that_no_kernel_has_are_allowed(mask):
    weight = numbered(mask)
    found = find_patterns(weight)
    extra = full_pattern(*mask.shape[2:])
    fkw = pack_fkw(weight, found.ids, [*found.patterns, extra])
    assert fkw.kernel_counts == (*found.counts, 0)
    assert np.array_equal(fkw.unpack(), weight)


def test_zeros_that_a_pattern_covers_are_stored():
    weight = numbered(np.eye(3, dtype=bool)[None, None])
    fkw = pack_fkw(weight, np.zeros((1, 1), np.int32), [full_pattern(3, 3)])
    assert len(fkw.weight) == 9
    assert np.array_equal(fkw.unpack(), weight)


@settings(deadline=None)
@given(masks())
def test_filters_are_sorted_by_kernels_and_kernels_by_pattern(mask):
    fkw = pack_found(numbered(mask))
    assert sorted(fkw.reorder.tolist()) == list(range(len(mask)))
    kept = mask.any(axis=(2, 3)).sum(axis=1)[fkw.reorder]
    assert (np.diff(kept) <= 0).all()
    assert np.array_equal(np.diff(fkw.offset), kept)
    assert (np.diff(fkw.stride.astype(int), axis=1) >= 0).all()
    ids = find_patterns(numbered(mask)).ids
    for g, filter_ in enumerate(fkw.reorder):
        channels = fkw.index[fkw.offset[g] : fkw.offset[g + 1]]
        patterns = ids[filter_, channels]
        assert patterns.tolist() == sorted(patterns)
        starts = np.searchsorted(patterns, np.arange(len(fkw.patterns) + 1))
        assert starts.tolist() == fkw.stride[g].tolist()
        for start, stop in pairwise(starts):
            assert (np.diff(channels[start:stop].astype(int)) > 0).all()


@settings(deadline=None)
@given(masks(), st.integers(1, 5))
def test_chunks_are_neighbouring_filters_and_sorted_for_themselves(mask, chunks):
    weight = numbered(mask)
    found = find_patterns(weight)
    fkw = pack_fkw(weight, found.ids, found.patterns, chunks=chunks)
    kept = mask.any(axis=(2, 3)).sum(axis=1)
    done = np.concatenate([[0], np.cumsum(kept + 1)])
    cuts = [int(np.argmax(done >= done[-1] * i / chunks)) for i in range(chunks)] + [len(mask)]
    for first, last in pairwise(cuts):
        own = fkw.reorder[first:last]
        assert sorted(own.tolist()) == list(range(first, last))
        assert (np.diff(kept[own]) <= 0).all()
    assert np.array_equal(np.diff(fkw.offset), kept[fkw.reorder])


def test_filters_with_equal_kernels_keep_their_order():
    fkw = pack_found(numbered(np.ones((6, 2, 3, 3), bool)))
    assert fkw.reorder.tolist() == list(range(6))


@settings(deadline=None)
@given(masks())
def test_kernel_counts_are_those_of_the_layer(mask):
    weight = numbered(mask)
    assert pack_found(weight).kernel_counts == find_patterns(weight).counts


@settings(deadline=None)
@given(masks(), st.integers(1, 12))
def test_chunks_cover_the_groups_in_order(mask, chunks):
    fkw = pack_found(numbered(mask))
    cuts = fkw.balanced_chunks(chunks)
    assert cuts.dtype == np.int32
    assert len(cuts) == chunks + 1
    assert (cuts[0], cuts[-1]) == (0, fkw.groups)
    assert (np.diff(cuts) >= 0).all()


def test_chunks_are_of_nearly_equal_work():
    mask = np.random.default_rng(0).random((64, 32, 1, 1)) < 0.3
    fkw = pack_found(numbered(mask))
    work = np.diff(fkw.weight_offset[fkw.balanced_chunks(4)])
    assert len(work) == 4
    assert work.max() < 1.1 * work.mean()


@pytest.mark.parametrize(
    ("filters", "channels", "reorder", "index"),
    [
        (1, 1 << 16, "uint16", "uint16"),
        (1, (1 << 16) + 1, "uint16", "int32"),
        (1 << 16, 1, "uint16", "uint16"),
        ((1 << 16) + 1, 1, "int32", "uint16"),
    ],
)
def test_indices_take_16_bits_where_they_fit(filters, channels, reorder, index):
    weight = np.zeros((filters, channels, 1, 1), np.float32)
    weight[-1, -1] = 5
    fkw = pack_found(weight)
    assert (fkw.reorder.dtype, fkw.index.dtype) == (reorder, index)
    assert fkw.stride.dtype == np.uint16
    assert (fkw.reorder[0], fkw.index[0]) == (filters - 1, channels - 1)
    assert np.array_equal(fkw.unpack(), weight)


def test_a_long_list_has_a_wide_stride():
    fkw = pack_found(np.ones((1, 1 << 16, 1, 1), np.float32))
    assert fkw.stride.dtype == np.int32
    assert fkw.stride.tolist() == [[0, 1 << 16]]


def test_bytes_are_those_of_the_arrays():
    fkw = pack_found(numbered(np.ones((4, 3, 3, 3), bool)))
    assert fkw.structure_bytes == 4 * 2 + 5 * 4 + 5 * 4 + 4 * 2 * 2 + 12 * 2
    assert fkw.total_bytes == fkw.structure_bytes + 4 * 3 * 9 * 4


def test_a_layer_without_filters():
    fkw = pack_found(np.zeros((0, 3, 3, 3), np.float32))
    assert fkw.groups == 0
    assert fkw.balanced_chunks(2).tolist() == [0, 0, 0]
