import numpy as np
import pytest

from relay_passes.lanes.kernel_candidates import Candidate, dense_candidates, sparse_candidates
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from tests.relay_passes.recognition.conv_layers import layer_of
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight, random_array

PICTURES = ["##./##./...", ".##/.##/..."]
POINT = Conv2dSchedule(rows=1, vectors=1)


def layer(weight: np.ndarray, groups: int = 1):
    pad = weight.shape[2] // 2
    return layer_of(ConvCase(weight=weight, groups=groups, padding=(pad,) * 4))


@pytest.mark.parametrize(
    ("shape", "groups", "kind", "shared"),
    [
        ((16, 8, 3, 3), 1, "dense", [1, 2, 3, 4, 6, 8]),
        ((5, 8, 3, 3), 1, "dense", [1, 2, 3, 4]),  # no more than there are filters
        ((12, 4, 3, 3), 2, "dense", [1, 2, 3, 6]),  # that divide the filters of a group
        ((8, 1, 3, 3), 8, "depthwise", [1]),
    ],
)
def test_dense_layers_are_stored_for_any_number_of_filters_that_may_share(
    shape, groups, kind, shared
):
    weight = random_array(*shape)
    candidates = list(dense_candidates(layer(weight, groups)))
    assert {candidate.kind for candidate in candidates} == {kind}
    assert [candidate.group for candidate in candidates] == shared
    for candidate in candidates:
        packed = candidate.pack(weight, POINT)
        assert np.count_nonzero(packed.unpack()) == weight.size
        same = Candidate(
            kind=kind, ids=candidate.ids, patterns=candidate.patterns, group=candidate.group
        )
        assert candidate.lists == same.lists  # counted in the arrays, not by their shape


@pytest.mark.parametrize("order", ["neighbours", "any"])
@pytest.mark.parametrize(("block", "shared"), [(1, [1]), (2, [1, 2]), (4, [1, 2, 4])])
def test_pruned_layers_share_lists_where_filters_were_pruned_as_one(block, shared, order):
    weight = np.repeat(pattern_weight(4, 16, PICTURES), block, axis=0)
    weight = weight * np.linspace(1, 2, len(weight), dtype=np.float32).reshape(-1, 1, 1, 1)
    if order == "any":
        weight = weight[np.random.default_rng(0).permutation(len(weight))]
    candidates = list(sparse_candidates(layer(weight)))
    assert [candidate.group for candidate in candidates] == shared
    for candidate in candidates:
        assert candidate.kind == "pattern"
        assert np.array_equal(candidate.pack(weight, POINT).unpack(), weight)


def test_whole_kernels_that_are_gone_are_connectivity():
    weight = random_array(8, 8, 1, 1) * (random_array(8, 8, 1, 1, seed=1) > 0.5)
    assert next(sparse_candidates(layer(weight))).kind == "connectivity"


def test_layers_with_the_same_patterns_number_them_alike():
    one, other = (
        next(sparse_candidates(layer(pattern_weight(8, 8, pictures))))
        for pictures in (PICTURES, PICTURES[::-1])
    )
    assert one.patterns == other.patterns


def test_the_cost_model_is_told_how_many_lists_and_kernels_there_are():
    weight = np.repeat(pattern_weight(4, 16, PICTURES), 2, axis=0)
    single, double = sparse_candidates(layer(weight))
    assert (single.lists.groups, double.lists.groups) == (8, 4)
    assert sum(single.lists.counts) == 2 * sum(double.lists.counts)
    assert sum(single.lists.counts) == np.count_nonzero(weight.any(axis=(2, 3)))


def test_kernels_of_groups_are_at_their_absolute_channels():
    candidate = next(dense_candidates(layer(random_array(4, 2, 3, 3), groups=2)))
    assert candidate.ids.tolist() == [[0, 0, -1, -1]] * 2 + [[-1, -1, 0, 0]] * 2


def test_a_layer_of_zeros_has_no_kernels():
    weight = np.zeros((4, 4, 3, 3), np.float32)
    for candidate in sparse_candidates(layer(weight)):
        assert (candidate.kind, candidate.patterns) == ("connectivity", ())
        assert not candidate.pack(weight, POINT).weight.size
