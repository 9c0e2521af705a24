import itertools

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tvm_patdnn
from tests.pruning.test_one_shot import chain, stored_weight
from tvm_patdnn.pruning import PruneOptions, prune_onnx, prune_onnx_with_report
from tvm_patdnn.pruning.similar_filters import similar_blocks
from tvm_patdnn.sparse.packing import filters_alike
from tvm_patdnn.sparse.patterns import find_patterns


def members(blocks):
    order = blocks.order.tolist()
    return {frozenset(order[i : i + blocks.size]) for i in range(0, len(order), blocks.size)}


def kept(energy, groups, count):
    """The energy that the `count` strongest kernels of the blocks `groups` keep."""
    found = [energy[list(group)].sum(axis=0).max(axis=1) for group in groups]
    return np.sort(np.concatenate(found))[::-1][:count].sum()


@pytest.mark.parametrize("size", [2, 3, 4])
def test_filters_that_are_strong_in_the_same_kernels_come_together(size):
    """Four kinds of filters, each strong in other channels, dealt out in turns."""
    random = np.random.default_rng(size)
    energy = random.uniform(0, 0.1, (4 * size, 8, 1))
    for index, each in enumerate(energy):
        each[2 * (index % 4) : 2 * (index % 4) + 2] += 1
    found = members(similar_blocks(energy, size, 4.0))
    assert found == {frozenset(range(kind, 4 * size, 4)) for kind in range(4)}


def test_filters_of_the_same_patterns_come_together():
    """All kernels stay, and only the pattern tells the filters apart."""
    energy = np.ones((6, 5, 2))
    energy[::2, :, 0] = energy[1::2, :, 1] = 3
    assert members(similar_blocks(energy, 3, 1.0)) == {frozenset({0, 2, 4}), frozenset({1, 3, 5})}


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 999), st.sampled_from([1.0, 2.0, 4.0]))
def test_it_is_among_the_better_half_of_all_pairings(seed, rate):
    """Against every way to pair six filters; never below what sorting by norm keeps."""
    energy = np.random.default_rng(seed).exponential(size=(6, 4, 3))
    count = round(12 / rate)
    every = {
        frozenset(frozenset(order[i : i + 2]) for i in (0, 2, 4))
        for order in itertools.permutations(range(6))
    }
    values = [kept(energy, pairing, count) for pairing in every]
    by_norm = np.argsort(-energy.sum(axis=(1, 2))).reshape(3, 2)
    found = kept(energy, members(similar_blocks(energy, 2, rate)), count)
    assert found >= kept(energy, by_norm, count) - 1e-9
    assert found >= np.quantile(values, 0.5)


def test_a_last_block_of_fewer_filters_and_blocks_of_one():
    energy = np.random.default_rng(0).random((7, 3, 1))
    blocks = similar_blocks(energy, 4, 2.0)
    assert sorted(blocks.order.tolist()) == list(range(7))
    assert sorted(map(len, members(blocks))) == [3, 4]
    assert similar_blocks(energy, 1, 2.0).order.tolist() == list(range(7))


def test_the_same_filters_are_found_in_any_order():
    energy = np.random.default_rng(1).random((8, 5, 2))
    order = np.random.default_rng(2).permutation(8)
    found = members(similar_blocks(energy[order], 2, 3.0))
    assert {frozenset(order[list(group)]) for group in found} == members(
        similar_blocks(energy, 2, 3.0)
    )


@pytest.mark.parametrize("scope", ["layer", "global", "balanced"])
@pytest.mark.parametrize("size", [2, 4, 5])
def test_blocks_of_a_pruned_file(scope, size):
    """Each layer falls into blocks of equal zeros, and keeps at least what neighbours keep."""
    share = {}
    for grouping in ("neighbours", "similar"):
        options = PruneOptions(
            filter_block=size, filter_grouping=grouping, connectivity_scope=scope
        )
        model, rows = prune_onnx_with_report(chain(), options)
        assert {row.name: row for row in rows}["middle"].patterns <= 8
        weights = {name: stored_weight(model, f"{name}.w") for name in ("middle", "point", "wide")}
        for weight in weights.values():
            _, counts = np.unique(weight != 0, axis=0, return_counts=True)
            remainder = len(weight) % size
            assert sum(count % size for count in counts) in {remainder, remainder + size}
        share[grouping] = sum(np.square(weight).sum() for weight in weights.values())
    assert share["similar"] > share["neighbours"]


def test_prune_onnx_takes_the_grouping():
    similar = prune_onnx(chain(), filter_block=2, filter_grouping="similar")
    neighbours = prune_onnx(chain(), filter_block=2)
    assert similar != neighbours


def test_the_compiler_finds_blocks_of_similar_filters():
    """They stand anywhere in the layer, and their sums land where the filters are."""
    model = prune_onnx(chain(), filter_block=4, filter_grouping="similar")
    library = tvm_patdnn.build(model)
    assert filters_alike(find_patterns(stored_weight(model, "middle.w")).ids) >= 4
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (data,) = session.get_inputs()
    shape = [each if isinstance(each, int) else 1 for each in data.shape]
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    (expected,) = session.run(None, {data.name: x})
    (got,) = library.run({data.name: x}).values()
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
