import numpy as np
import pytest

from te_schedules.cpu.sample_weights import (
    connectivity_weight,
    dense_weight,
    depthwise_weight,
    pattern_weight,
    pruned_matrix,
)
from tvm_patdnn.sparse.patterns import find_patterns


@pytest.mark.parametrize("channels", [5, 64])
def test_half_of_the_kernels_have_one_of_three_patterns(channels):
    weight = pattern_weight(40, channels)
    found = find_patterns(weight)
    assert {str(pattern) for pattern in found.patterns} == {
        "##./##./...",
        ".##/.##/...",
        ".#./###/...",
    }
    assert found.kept_kernels / found.ids.size == pytest.approx(0.5, abs=0.1)
    assert (weight.shape, weight.dtype) == ((40, channels, 3, 3), np.float32)


def test_most_kernels_of_1x1_are_gone():
    weight = connectivity_weight(40, 50)
    assert weight.shape == (40, 50, 1, 1)
    assert np.count_nonzero(weight) / weight.size == pytest.approx(0.4, abs=0.05)


def test_nothing_is_pruned_of_dense_weights():
    assert dense_weight(4, 3, 5).all()
    assert dense_weight(4, 3, 5).shape == (4, 3, 5, 5)
    assert depthwise_weight(7).all()
    assert depthwise_weight(7).shape == (7, 1, 3, 3)


@pytest.mark.parametrize("outputs", [37, 64])
def test_a_matrix_is_pruned_in_vectors_of_outputs(outputs):
    matrix = pruned_matrix(200, outputs)
    assert matrix.shape == (200, outputs)
    kept = [np.count_nonzero(matrix[:, at : at + 16], axis=1) for at in range(0, outputs, 16)]
    assert {*np.concatenate(kept).tolist()} == {0, 16}
    assert not kept[-1].any()
    assert 0.1 < np.count_nonzero(matrix) / matrix.size < 0.4


def test_weights_are_the_same_every_time():
    for make in (pattern_weight, connectivity_weight, pruned_matrix):
        assert np.array_equal(make(9, 8), make(9, 8))
