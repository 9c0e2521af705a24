"""What tuning chooses from: all of it is right, and it holds what the cost model chooses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tvm_ffi import structural_equal

from te_schedules.cpu.conv2d_cost import KernelLists, registers
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Outer
from te_schedules.cpu.conv2d_space import choose_schedule
from te_schedules.cpu.conv2d_tuning_space import plainest, tasks_of, tuning_schedules
from tests.te_schedules.cpu.lane_kernels import ConvCase, full_pattern, pattern_weight
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.sparse.patterns import find_patterns

CPU = CpuModel(lanes=8, registers=16, l1_bytes=32 << 10, l2_bytes=1 << 20, num_cores=2)
PRUNED = ConvCase(weight=pattern_weight(6, 40), size=(9, 17))
DENSE = ConvCase(weight=pattern_weight(6, 40) + 1, size=(9, 17), dense=True)
SMALL = ConvCase(weight=pattern_weight(5, 3, ["#"]), size=(3, 5), padding=(0,) * 4, stride=(2, 2))
CASES = {"pruned": PRUNED, "dense": DENSE, "small": SMALL}


def lists_of(case: ConvCase, group: int) -> KernelLists:
    filters = len(case.weight)
    if case.dense:
        patterns, counts = (full_pattern(3, 3),), (filters * case.channels,)
    else:
        found = find_patterns(case.weight)
        patterns, counts = found.patterns, found.counts
    return KernelLists(patterns=patterns, counts=tuple(counts), groups=-(-filters // group))


def space(case: ConvCase, group: int = 1):
    return list(tuning_schedules(case.geometry(), lists_of(case, group), group, CPU))


@pytest.mark.parametrize("case", CASES)
def test_points_are_distinct_and_fit_the_cpu(case):
    points = space(CASES[case])
    assert len(set(points)) == len(points) > 10
    for schedule in points:
        held = registers(schedule, lists_of(CASES[case], 1).patterns, CASES[case].geometry())
        assert schedule.rows * schedule.vectors == 1 or held <= CPU.registers
        most = max(other.chunks for other in points)
        assert tasks_of(schedule, CASES[case].geometry()) >= 2 or schedule.chunks == most


def test_it_has_all_that_rules_decide_otherwise():
    points = space(PRUNED)
    assert {s.outer for s in points} == set(Outer)
    assert {s.band for s in points} == {None, 32}
    assert {s.chunks for s in points} == {1, 2, 4, 6}
    assert {s.copy_inputs for s in points} == {False, True}
    assert not any(s.copy_inputs for s in space(DENSE))


def test_what_the_cost_model_chooses_is_near():
    chosen, _ = choose_schedule(PRUNED.geometry(), lists_of(PRUNED, 1), 1, CPU)
    assert replace(chosen, chunks=1) in {replace(s, chunks=1) for s in space(PRUNED)}


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(sorted(CASES)), st.data())
def test_every_point_is_right(name, data):
    case = CASES[name]
    group = data.draw(st.sampled_from([1, 2, 4])) if case.dense else 1
    schedule = data.draw(st.sampled_from(space(case, group)))
    replace(case, schedule=schedule).check()


@pytest.mark.parametrize(
    ("outer", "tile", "same"),
    [
        (Outer.PLANE, (1, 1), Outer.PLANE),
        (Outer.PLANE, (9, 1), Outer.ROW),
        (Outer.PLANE, (9, 3), Outer.TILE),
        (Outer.ROW, (9, 1), Outer.ROW),
        (Outer.ROW, (1, 3), Outer.TILE),
        (Outer.TILE, (1, 1), Outer.TILE),
    ],
)
def test_what_has_the_same_code(outer, tile, same):
    case = ConvCase(weight=pattern_weight(2, 4), size=(9, 24))
    layout = case.geometry().out_layout
    assert (layout.vectors_y, layout.vectors_x) == (9, 3)
    schedule = Conv2dSchedule(rows=tile[0], vectors=tile[1], outer=outer)
    plain = plainest(schedule, case.geometry())
    assert plain == replace(schedule, outer=same)
    one, other = (replace(case, schedule=each).kernel().generate() for each in (schedule, plain))
    assert structural_equal(one, other)


def test_tasks():
    geometry = PRUNED.geometry()
    schedule = next(s for s in space(PRUNED) if s.outer is Outer.PLANE and s.chunks == 4)
    assert tasks_of(schedule, geometry) == 4
    rows = -(-geometry.out_layout.vectors_y // schedule.rows)
    assert tasks_of(replace(schedule, outer=Outer.ROW), geometry) == 4 * rows
    assert np.all([tasks_of(s, geometry) > 0 for s in space(PRUNED)])
