from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sparse.masks import full_pattern
from tvm_patdnn.sparse.packing import (
    KernelList,
    equal_shares,
    filters_alike,
    group_members,
    packed_arrays,
)


def test_kernels_are_sorted_by_slot_then_run_then_channel_then_pattern():
    rng = np.random.default_rng(0)
    columns = [rng.integers(3, size=50) for _ in range(4)]
    kernels = KernelList.of(*columns)
    rows = zip(kernels.slot, kernels.run, kernels.channel, kernels.pattern, strict=True)
    assert list(rows) == sorted(zip(*columns, strict=True))


def test_shorter_kernels_are_filled_up_with_zeros():
    weight = np.arange(1, 9, dtype=np.float32).reshape(1, 2, 2, 2)
    kernels = KernelList(
        slot=np.array([0, 0]),
        run=np.array([0, 0]),
        channel=np.array([0, 1]),
        pattern=np.array([1, 0]),
    )
    arrays = packed_arrays(
        weight,
        kernels,
        [full_pattern(2, 2), full_pattern(1, 1)],
        np.array([[0]]),
        channels=2,
        bands=1,
        entries=np.array([4]),
    )
    assert arrays["weight"].tolist() == [1, 0, 0, 0, 5, 6, 7, 8]
    assert arrays["weight_offset"].tolist() == [0, 8]
    assert arrays["stride"].tolist() == [[0, 2]]


@pytest.mark.parametrize(
    ("kinds", "group", "members"),
    [
        ("aaaa", 2, [[0, 1], [2, 3]]),
        ("aaa", 2, [[0, 1], [2, 2]]),
        ("aa", 4, [[0, 1, 1, 1]]),
        ("", 2, []),
        ("abab", 2, [[0, 2], [1, 3]]),
        ("abbaab", 2, [[0, 3], [1, 2], [4, 4], [5, 5]]),
        ("cab", 1, [[0], [1], [2]]),
        ("bab", 1, [[0], [1], [2]]),
    ],
)
def test_groups_are_of_filters_of_a_kind_and_the_last_of_a_kind_is_repeated(kinds, group, members):
    ids = np.array([[ord(kind), -1] for kind in kinds]).reshape(-1, 2)
    assert group_members(ids, group).tolist() == members


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 8))
def test_shares_are_runs_whose_sums_differ_by_little(work, chunks):
    cuts = equal_shares(np.array(work, np.int64), chunks)
    assert cuts.dtype == np.int32
    assert (len(cuts), cuts[0], cuts[-1]) == (chunks + 1, 0, len(work))
    assert (np.diff(cuts) >= 0).all()
    sums = [sum(work[a:b]) + (b - a) for a, b in pairwise(cuts)]
    assert max(sums) <= (sum(work) + len(work)) / chunks + 10  # the largest piece of work


def test_filters_alike_are_counted():
    rng = np.random.default_rng(0)
    rows = rng.integers(-1, 6, (8, 40))
    assert [filters_alike(np.repeat(rows, n, axis=0)) for n in (1, 2, 3, 4, 8)] == [1, 2, 1, 4, 8]
    assert filters_alike(np.repeat(rows, 8, axis=0), 4) == 4
    assert filters_alike(np.repeat(rows, 4, axis=0)[:31]) in (1, 4)
    assert [filters_alike(rows[:n]) for n in (0, 1)] == [1, 1]


def test_filters_alike_need_not_be_neighbours():
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.integers(-1, 6, (8, 40)), 4, axis=0)
    assert filters_alike(rows[rng.permutation(len(rows))]) == 4
    few_left_over = np.concatenate([rows, rng.integers(-1, 6, (1, 40))])
    assert filters_alike(few_left_over) == 4  # 9 lists for 33 filters
    many_left_over = np.concatenate([rows[:4], rng.integers(-1, 6, (3, 40))])
    assert filters_alike(many_left_over) == 1
