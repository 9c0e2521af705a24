import itertools
from dataclasses import replace

import pytest

from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tests.te_schedules.cpu.lane_kernels import random_array
from tests.te_schedules.cpu.winograd_case import WinogradCase, bound

CASE = WinogradCase(
    weight=random_array(7, 5, 3, 3),
    size=(17, 23),
    transform=WinogradSchedule(rows=2, vectors=2, group=3, together=2, units=2, chunks=2),
)


def number(value) -> int:
    return int(value)


@pytest.mark.parametrize("place", ["packed", "sums"])
def test_no_two_vectors_share_a_place(place):
    conv = bound(CASE)
    inner = conv.kernels.channels if place == "packed" else conv.most_groups
    at = {
        number(conv.packed_at(p, i, u) if place == "packed" else conv.sums_at(p, i, u))
        for p, i, u in itertools.product(
            range(conv.products), range(inner), range(conv.schedule.units)
        )
    }
    assert len(at) == conv.products * inner * conv.schedule.units
    step = conv.unit_values * (1 if place == "packed" else conv.kernels.group)
    starts = sorted(at)
    assert all(later - each >= step for each, later in itertools.pairwise(starts))
    held = conv.place_values if place == "packed" else inner * step
    assert starts[-1] + step <= conv.products * conv.schedule.units * held


@pytest.mark.parametrize("channels", [3, 5, 64, 512])
def test_places_are_an_odd_number_of_lines_apart(channels):
    """With a power of two all places of a tile would be in one set of a cache."""
    conv = bound(replace(CASE, weight=random_array(7, channels, 3, 3)))
    apart = number(conv.packed_at(1, 0, 0)) - number(conv.packed_at(0, 0, 0))
    assert apart >= channels * conv.unit_values
    assert apart * 4 % 64 == 0
    assert apart * 4 // 64 % 2 == 1


def test_units_cover_all_tiles_of_a_plane():
    conv = bound(CASE)
    tiles = conv.store.rows.count * conv.store.columns.count
    covered = {
        number(conv.tile(u, c))
        for u, c in itertools.product(range(conv.units.count), range(conv.schedule.together))
    }
    assert covered == set(range(tiles))


def test_every_filter_is_in_a_group_of_one_chunk():
    conv = bound(CASE)
    groups = [
        range(*(number(each) for each in conv.groups_of(chunk)))
        for chunk in range(conv.schedule.chunks)
    ]
    assert [g for each in groups for g in each] == list(range(conv.kernels.groups))
    assert max(map(len, groups)) <= conv.most_groups
    filters = {number(conv.filter(g, f)) for g in range(conv.kernels.groups) for f in range(3)}
    assert filters == set(range(7))
