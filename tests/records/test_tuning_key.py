"""Keys of tuning records: what they refuse, and which layers are similar."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tvm_patdnn.records.tuning_key import TuningKey, distance, without_halos

KEY = TuningKey(
    family="f",
    workload="in 1x64x56x56 kernel 3x3 stride 1x1 kept 30%",
    layout="a",
    lanes=8,
    threads=2,
    cpu="c",
)


def test_the_same_layer_is_no_distance_away():
    assert distance(KEY, KEY) == 0


def test_a_layer_twice_as_wide_is_nearer_than_one_twice_as_wide_and_high():
    wide = replace(KEY, workload=KEY.workload.replace("56x56", "56x112"))
    both = replace(KEY, workload=KEY.workload.replace("56x56", "112x112"))
    assert 0 < distance(KEY, wide) < distance(KEY, both) < 2.1


@pytest.mark.parametrize("changes", [{"threads": 4}, {"layout": "b"}])
def test_another_layout_or_number_of_threads_is_near(changes):
    assert 0 < distance(KEY, replace(KEY, **changes)) < 1


@pytest.mark.parametrize(
    "changes",
    [
        {"family": "g"},
        {"lanes": 4},
        {"cpu": "d"},
        {"workload": KEY.workload.replace("3x3", "1x1")},
        {"workload": KEY.workload.replace("stride 1x1", "stride 2x2")},
        {"workload": KEY.workload.replace("1x64x56x56", "64x56x56")},
        {"workload": "in 1x64x56x56"},
    ],
)
def test_nothing_carries_over_to_other_kernels_or_cpus(changes):
    assert distance(KEY, replace(KEY, **changes)) == math.inf


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cpu": 7}, "cpu is 7, expected a text"),
        ({"workload": ["w"]}, r"workload is .'w'., expected a text"),
        ({"lanes": 0}, "lanes is 0, expected a positive whole number"),
        ({"threads": True}, "threads is True, expected a positive whole number"),
    ],
)
def test_nonsense_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(KEY, **changes)


def test_another_halo_is_nearer_than_another_split():
    one, halo, split = (
        replace(KEY, layout=layout)
        for layout in (
            "4x2 blocks of 2x4 halo 1,1,1,1 to 4x2 blocks of 2x4 halo 0,0,0,0",
            "4x2 blocks of 2x4 halo 1,1,1,1 to 4x2 blocks of 2x4 halo 1,1,1,1",
            "8x1 blocks of 1x7 halo 1,1,1,1 to 8x1 blocks of 1x7 halo 0,0,0,0",
        )
    )
    assert 0 < distance(one, halo) < distance(one, split)
    assert without_halos(one.layout) == "4x2 blocks of 2x4 to 4x2 blocks of 2x4"
