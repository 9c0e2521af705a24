from dataclasses import replace

import numpy as np
import pytest

from relay_passes.int8.plan import PlannedKernel, plan_int8
from relay_passes.int8.report_int8 import report_int8
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from te_schedules.cpu.int8.choose_strips import choose_strips
from te_schedules.cpu.int8.strip_configuration import FAMILY, VERSION, StripConfiguration
from te_schedules.cpu.int8.strip_cost import strip_cost
from te_schedules.cpu.int8.strip_space import tuning_strips
from te_schedules.cpu.int8.winograd_schedule import TileSchedule
from tests.relay_passes.int8.int8_modules import QuantisedNet, random_weight
from tests.relay_passes.relax_modules import CPU
from tvm_patdnn.records.tuning_records import Record, Records

PRUNED = random_weight(8, 8, 3, 3) * (np.arange(64).reshape(8, 8, 1, 1) % 3 == 0).astype(np.int8)


def plan(records=(), size: int = 12, **how: bool):
    net = QuantisedNet((1, 8, size, size))
    mod = net.module(lambda x: net.integers(net.quantised_conv(net.numbers(x), PRUNED)))
    main = MainRebuilder(mod)
    return plan_int8(main.bindings, main.result, {}, CPU, records=Records(records), **how)


def planned(*args, **options) -> PlannedKernel:
    (kernel,) = plan(*args, **options).kernels.values()
    return kernel


def trial(kernel, seconds: float, *, size: int = 12, sparse: bool = True) -> Record:
    configuration = StripConfiguration.of(kernel, sparse=sparse)
    key = planned(size=size).key
    return Record(key=key, version=VERSION, configuration=configuration, seconds=seconds)


def space(*, sparse: bool = True):
    return list(tuning_strips(planned().layer, CPU, sparse=sparse))


def test_the_key():
    key = planned().key
    assert key.family == FAMILY
    assert key.workload.startswith("in 1x8x12x12 out 1x8x10x10 kernel 3x3 ")
    assert key.workload.endswith(" residual 0")
    assert key.layout == "planes of bytes, by plain"


def test_the_fastest_that_was_measured_is_taken():
    slow, fast = space()[3], space()[-3]
    found = planned([trial(slow, 2.0), trial(fast, 1.0)])
    assert found.kernel.schedule == fast.schedule
    assert found.kernel.reason.endswith("; scheduled as measured")
    (row,) = report_int8(plan([trial(fast, 1.0)]))
    assert "as measured" in row.reason


@pytest.mark.parametrize(("dense_s", "kind"), [(0.5, "dense"), (2.0, "connectivity")])
def test_a_pruned_layer_is_dense_where_that_was_faster(dense_s, kind):
    dense = space(sparse=False)[-1]
    records = [trial(space()[5], 1.0), trial(dense, dense_s, sparse=False)]
    assert planned(records).kernel.kind == kind
    assert planned(records, sparse=False).kernel.schedule == dense.schedule


def test_a_similar_layer_lends_its_schedule_where_that_costs_little():
    cheapest = choose_strips(planned(size=13).layer, CPU)
    near = replace(cheapest, products=cheapest.products.with_rows(cheapest.strip.rows))
    found = planned([trial(near, 1.0)], size=13)
    assert found.kernel.reason.endswith("; scheduled as a similar layer that was measured")
    dear = max(space(), key=lambda kernel: strip_cost(kernel, CPU))
    unchanged = planned([trial(dear, 1.0)], size=13).kernel
    assert "measured" not in unchanged.reason
    assert unchanged.schedule == cheapest.schedule


def test_transforms_that_were_measured_are_taken_where_they_may_be():
    tiles = TileSchedule(height=2, width=4, rows=1, group=2, together=1)
    strips = space()[3]
    records = [
        Record(key=planned().key, version=VERSION, configuration=tiles, seconds=0.5),
        trial(strips, 1.0),
    ]
    found = planned(records).kernel
    assert found.kind == "dense"
    assert found.reason.startswith("Winograd's transforms of 2x4 outputs in 16 bits, by ")
    assert found.reason.endswith("; scheduled as measured")
    assert found.schedule == {"taps": "winograd", **vars(tiles)}
    assert planned(records, transforms=False).kernel.schedule == strips.schedule


def test_what_does_not_fit_the_layer_is_left_to_the_cost_model():
    far = replace(StripConfiguration.of(space()[0], sparse=True), rows=99)
    record = Record(key=planned().key, version=VERSION, configuration=far, seconds=1.0)
    assert "measured" not in planned([record]).kernel.reason
