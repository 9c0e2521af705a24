import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tvm_patdnn.errors import PruningError
from tvm_patdnn.sparse.patterns import Pattern, find_patterns

SHAPES = [(1, 1), (3, 1), (1, 5), (3, 3), (4, 4), (5, 5), (8, 8), (8, 9), (11, 11)]


def sparse_weight(kernel_shape: tuple[int, int], density: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (5, 7, *kernel_shape)
    return (rng.standard_normal(shape) * (rng.random(shape) < density)).astype(np.float32)


def masks_of(found) -> np.ndarray:
    height, width = found.kernel_shape
    masks = np.zeros((*found.ids.shape, height, width), bool)
    for index, pattern in enumerate(found.patterns):
        masks[found.ids == index] = pattern.mask()
    return masks


def test_a_pattern_is_drawn_and_read_back():
    pattern = Pattern(kernel_shape=(3, 3), taps=((0, 0), (0, 1), (1, 1)))
    assert str(pattern) == "##./.#./..."
    assert Pattern.from_picture("##./.#./...") == pattern
    assert Pattern.from_mask(pattern.mask()) == pattern
    assert len(pattern) == 3


@pytest.mark.parametrize(
    ("taps", "message"),
    [
        ((), r"needs at least one tap"),
        (((0, 3),), r"tap \(0, 3\) lies outside a 3x3 kernel"),
        (((-1, 0),), r"tap \(-1, 0\) lies outside"),
        (((1, 1), (0, 0)), r"repeated or out of order"),
        (((1, 1), (1, 1)), r"repeated or out of order"),
    ],
)
def test_wrong_taps_are_declined(taps, message):
    with pytest.raises(PruningError, match=message):
        Pattern(kernel_shape=(3, 3), taps=taps)


@pytest.mark.parametrize("picture", ["##/.", "ab/cd", ""])
def test_a_wrong_picture_is_declined(picture):
    with pytest.raises(PruningError, match="not a picture of a pattern|needs at least one tap"):
        Pattern.from_picture(picture)


def test_a_mask_has_two_dimensions():
    with pytest.raises(PruningError, match=r"2 dimensions \(kh, kw\), got shape \(3,\)"):
        Pattern.from_mask(np.ones(3))


@settings(deadline=None)
@given(st.sampled_from(SHAPES), st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.integers(0, 99))
def test_found_patterns_describe_the_weight(kernel_shape, density, seed):
    weight = sparse_weight(kernel_shape, density, seed)
    found = find_patterns(weight)
    assert np.array_equal(masks_of(found), weight != 0)
    assert found.kept_weights == np.count_nonzero(weight)
    assert found.kept_kernels == (weight != 0).any(axis=(2, 3)).sum()
    assert len(set(found.patterns)) == len(found.patterns)
    assert list(found.counts) == sorted(found.counts, reverse=True)
    assert all(count > 0 for count in found.counts)


def test_a_dense_layer_has_one_pattern():
    found = find_patterns(np.ones((4, 3, 3, 3)))
    assert [str(p) for p in found.patterns] == ["###/###/###"]
    assert found.compression == 1.0


def test_a_layer_of_zeros_has_none():
    found = find_patterns(np.zeros((4, 3, 3, 3), np.float16))
    assert found.patterns == ()
    assert (found.ids == -1).all()
    assert found.compression == float("inf")


def test_negative_zero_is_zero_and_nan_is_a_weight():
    found = find_patterns(np.array([-0.0, np.nan]).reshape(1, 2, 1, 1))
    assert found.ids.tolist() == [[-1, 0]]


def test_ids_are_int32_and_cannot_be_written():
    found = find_patterns(np.ones((2, 2, 3, 3)))
    assert found.ids.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        found.ids[0, 0] = 5


def test_a_layer_without_kernels():
    assert find_patterns(np.ones((0, 3, 3, 3))).kept_kernels == 0


def test_a_matrix_is_declined():
    with pytest.raises(PruningError, match=r"\(out_c, in_c, kh, kw\), got shape \(4, 4\)"):
        find_patterns(np.ones((4, 4)))
