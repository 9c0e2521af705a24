import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sparse.masks import masks, numbered
from tvm_patdnn.sparse.fkw import pack_fkw
from tvm_patdnn.sparse.patterns import find_patterns
from tvm_patdnn.sparse.unordered_kernels import pack_single_taps, pack_unordered

PACKERS = [pack_unordered, pack_single_taps]


def packed_found(pack, mask: np.ndarray, band: int | None = None):
    found = find_patterns(numbered(mask))
    return pack(numbered(mask), found.ids, found.patterns, band)


def expected(mask: np.ndarray) -> np.ndarray:
    """A layer without a weight has no pattern that would tell the size of its kernels."""
    return numbered(mask) if mask.any() else numbered(mask)[:, :, :1, :1]


@settings(deadline=None)
@given(masks(), st.sampled_from(PACKERS))
def test_filters_and_channels_keep_the_order_of_the_model(mask, pack):
    packed = packed_found(pack, mask)
    assert packed.reorder.tolist() == list(range(len(mask)))
    places = np.repeat(np.arange(packed.groups), np.diff(packed.offset)) * mask.shape[1]
    apart = np.diff((places + packed.index).astype(int))
    assert (apart >= (0 if pack is pack_single_taps else 1)).all()
    assert np.array_equal(packed.unpack(), expected(mask))


@settings(deadline=None)
@given(masks())
def test_a_generic_sparse_matrix_stores_each_weight_by_itself(mask):
    packed, weight = packed_found(pack_single_taps, mask), numbered(mask)
    assert set(packed.entries) <= {1}
    assert np.array_equal(packed.weight, weight[weight != 0])
    assert sum(packed.kernel_counts) == np.count_nonzero(weight)


@settings(deadline=None)
@given(masks())
def test_every_kernel_has_as_many_weights_as_the_largest_pattern(mask):
    packed, found = packed_found(pack_unordered, mask), find_patterns(numbered(mask))
    largest = max(map(len, found.patterns), default=0)
    assert set(packed.entries) <= {largest}
    assert len(packed.weight) == largest * found.kept_kernels
    assert packed.kernel_counts == found.counts


@settings(deadline=None)
@given(masks(), st.integers(1, 10), st.sampled_from(PACKERS))
def test_bands_of_channels_are_stored_one_after_the_other(mask, band, pack):
    packed = packed_found(pack, mask, band)
    assert packed.bands == -(-mask.shape[1] // band)
    slots = np.repeat(np.arange(packed.bands * packed.groups), np.diff(packed.offset))
    assert np.array_equal(packed.index // band, slots // packed.groups)
    assert np.array_equal(packed.unpack(), expected(mask))


@pytest.mark.parametrize("pack", PACKERS)
def test_the_number_of_each_kernels_pattern_is_part_of_the_structure(pack):
    mask = np.ones((4, 3, 3, 3), bool)
    packed = packed_found(pack, mask)
    kernels = 12 * (9 if pack is pack_single_taps else 1)
    assert packed.structure_bytes == 4 * 2 + 5 * 4 + 5 * 4 + 4 * 2 * 2 + 2 * kernels * 2
    assert packed.total_bytes == packed.structure_bytes + 4 * 3 * 9 * 4


def test_the_order_of_fkw_is_another():
    mask = np.zeros((2, 2, 1, 1), bool)
    mask[0, 0] = mask[1] = True
    found = find_patterns(numbered(mask))
    fkw = pack_fkw(numbered(mask), found.ids, found.patterns)
    assert fkw.reorder.tolist() == [1, 0]
    assert packed_found(pack_unordered, mask).reorder.tolist() == [0, 1]
