import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pruning.test_one_shot import chain, stored_weight
from tvm_patdnn.pruning import PruneOptions, prune_onnx_with_report
from tvm_patdnn.pruning.filter_blocks import FilterBlocks


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 9), st.integers(2, 5))
def test_a_block_has_the_norms_of_its_filters(seed, filters, size):
    random = np.random.default_rng(seed)
    weight = random.standard_normal((filters, 3, 2, 2))
    for order in (np.arange(filters), random.permutation(filters)):
        norms = FilterBlocks(size=size, order=order).norms(weight)
        assert len(norms) == -(-filters // size)
        for block, norm in enumerate(norms):
            members = weight[order[block * size : (block + 1) * size]]
            np.testing.assert_allclose(norm, np.linalg.norm(members, axis=0))


def test_every_filter_gets_what_its_block_has():
    of_blocks = np.array([[1, 2], [3, 4]])
    found = FilterBlocks.of_neighbours(5, 3).spread(of_blocks)
    assert found.tolist() == [[1, 2], [1, 2], [1, 2], [3, 4], [3, 4]]
    found = FilterBlocks(size=3, order=np.array([4, 0, 2, 1, 3])).spread(of_blocks)
    assert found.tolist() == [[1, 2], [3, 4], [1, 2], [3, 4], [1, 2]]


@pytest.mark.parametrize("scope", ["layer", "global", "balanced"])
@pytest.mark.parametrize("block", [2, 4, 5])
def test_the_filters_of_a_block_keep_the_same_weights(block, scope):
    options = PruneOptions(filter_block=block, connectivity_scope=scope)
    model, rows = prune_onnx_with_report(chain(), options)
    for name in ("middle", "point", "wide"):
        kept = stored_weight(model, f"{name}.w") != 0
        for start in range(0, len(kept), block):
            assert (kept[start : start + block] == kept[start]).all()
    by_name = {row.name: row for row in rows}
    assert by_name["middle"].patterns <= 8
    assert by_name["middle"].kept_weights == 4 * by_name["middle"].kept_kernels
    assert by_name["middle"].kept_kernels == pytest.approx(16 * 8 / 3.6, rel=0.3)


def test_a_block_keeps_what_its_filters_have_most_of():
    options = PruneOptions(filter_block=4, connectivity=4.0)
    model, _ = prune_onnx_with_report(chain(), options)
    dense, kept = stored_weight(chain(), "point.w"), stored_weight(model, "point.w")
    energy = np.square(dense).reshape(3, 4, 16).sum(axis=1)
    stay = (kept != 0).reshape(3, 4, 16)[:, 0]
    assert stay.sum() == 12
    assert energy[stay].min() > energy[~stay].max()
