from dataclasses import replace

import numpy as np
import pytest

from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tests.tuning.spaces import SPACE, point
from tvm_patdnn.tuning.space import Space


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def differences(one, other) -> int:
    pairs = zip(one.to_json().values(), other.to_json().values(), strict=True)
    return sum(a != b for a, b in pairs)


def test_a_mutation_changes_one_choice_and_stays_in_the_space(rng):
    for _ in range(200):
        before = SPACE.random(rng)
        after = SPACE.mutated(before, rng)
        assert after in SPACE.points
        assert differences(before, after) == 1


def test_a_cross_takes_each_choice_from_a_parent(rng):
    one, other = point(1, 2, 3, sparse=False), point(4, 5, 6, sparse=True)
    children = {SPACE.crossed(one, other, rng) for _ in range(200)}
    assert children == {
        point(rows, vectors, chunks, sparse=sparse)
        for rows in (1, 4)
        for vectors in (2, 5)
        for chunks in (3, 6)
        for sparse in (False, True)
    } - {one, other}


def test_where_no_child_is_in_the_space_it_is_another_point(rng):
    one, other = point(1, 1, 1, sparse=False), point(9, 9, 9, sparse=True)
    space = Space((one, other), (one,), lambda _: {})
    assert {space.crossed(one, other, rng) for _ in range(50)} <= {one, other}
    assert {space.mutated(one, rng) for _ in range(50)} == {one, other}


def test_points_of_different_kinds_have_their_own_choices(rng):
    plain = Conv2dConfiguration(sparse=False, schedule=Conv2dSchedule(rows=1, vectors=1))
    packed = WinogradSchedule(rows=1, vectors=1, group=2, together=4, units=8)
    points = (
        plain,
        replace(plain, schedule=replace(plain.schedule, rows=2)),
        Conv2dConfiguration(sparse=False, schedule=packed),
        Conv2dConfiguration(sparse=False, schedule=replace(packed, units=16)),
    )
    space = Space(points, points[:1], lambda _: {})
    assert {space.mutated(each, rng) for each in points for _ in range(50)} == set(points)
    assert {space.crossed(plain, points[2], rng) for _ in range(50)} <= set(points)
