from dataclasses import replace

import pytest

from relay_passes.lanes.plan import PlannedPair
from relay_passes.lanes.plan_lanes import PlanOptions
from relay_passes.lanes.recorded_pairs import pair_key
from relay_passes.lanes.report_layers import report_layers
from relay_passes.rewrite_to_lanes import RewriteToLanes
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Outer
from te_schedules.cpu.pair_configuration import FAMILY, VERSION, PairConfiguration
from tests.relay_passes.lanes.mobile_modules import mobile_module, mobile_plan
from tests.relay_passes.relax_modules import CPU, assert_same_numbers
from tvm_patdnn.records.tuning_records import Record, Records

FIRST = Conv2dSchedule(rows=2, vectors=1, outer=Outer.PLANE, chunks=3)
SECOND = Conv2dSchedule(rows=1, vectors=2)


def planned(*args, **options) -> PlannedPair:
    (pair,) = (i for i in mobile_plan(*args, **options).items if isinstance(i, PlannedPair))
    return pair


def trial(seconds: float = 1.0, *, sparse: bool = True, second=SECOND, first=FIRST) -> Record:
    configuration = PairConfiguration(
        first=Conv2dConfiguration(sparse=sparse, schedule=first),
        depthwise=Conv2dConfiguration(sparse=False, schedule=second),
    )
    key = pair_key(planned())
    return Record(key=key, version=VERSION, configuration=configuration, seconds=seconds)


def test_the_key_names_both():
    key = pair_key(planned())
    assert key.family == FAMILY
    assert "in 1x8x9x9 out 1x16x9x9 kernel 1x1 " in key.workload
    assert "depthwise-kernel 3x3 depthwise-stride 1x1 " in key.workload
    assert key.layout.count(" to ") == 2


def test_a_pair_is_computed_as_its_record_says():
    pair = planned([trial()])
    assert (pair.first.choice.schedule, pair.depthwise.choice.schedule) == (FIRST, SECOND)
    row, _ = report_layers(mobile_plan([trial()]))
    assert row.reason == "in one kernel with the depthwise layer behind it, as measured"
    options = PlanOptions(cpu=CPU, records=Records([trial()]))
    assert_same_numbers(mobile_module(), RewriteToLanes(options=options)(mobile_module()))


@pytest.mark.parametrize(("dense_s", "kind"), [(0.5, "dense"), (2.0, "connectivity")])
def test_the_faster_of_sparse_and_dense_is_taken(dense_s, kind):
    dense = trial(dense_s, sparse=False, first=replace(FIRST, group=2))
    assert planned([trial(1.0), dense]).first.choice.kind == kind


@pytest.mark.parametrize(
    "wrong", [{"first": replace(FIRST, rows=99)}, {"second": replace(SECOND, rows=99)}]
)
def test_what_does_not_fit_is_left_to_the_cost_model(wrong):
    expected, found = planned(), planned([trial(**wrong)])
    assert found.first.choice.schedule == expected.first.choice.schedule
    assert found.depthwise.choice.schedule == expected.depthwise.choice.schedule
    assert "measured" not in found.first.choice.reason
