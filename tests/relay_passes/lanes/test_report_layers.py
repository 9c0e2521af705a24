import json
from dataclasses import asdict

import numpy as np

from relay_passes.lanes.assign_layouts import LayoutPlan
from relay_passes.lanes.plan import LanePlan, PlannedPair
from relay_passes.lanes.report_layers import report_layers
from tests.relay_passes.lanes.test_plan import DEEP, WIDE, planned
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight


def report(*items):
    return report_layers(LanePlan(items=items, layouts=LayoutPlan()))


def test_a_row_says_what_was_found_and_what_was_chosen():
    weight = pattern_weight(6, 4, ["##./##./...", ".##/.##/..."], 0.5)
    item = planned(ConvCase(weight=weight, size=(8, 10), lanes=CPU.lanes))
    (row,) = report(item)
    kernels = np.any(weight != 0, axis=(2, 3))
    assert (row.in_shape, row.out_shape) == ([1, 4, 8, 10], [1, 6, 8, 10])
    assert (row.kernel_shape, row.stride, row.groups) == ([3, 3], [1, 1], 1)
    assert set(row.patterns) == {"##./##./...", ".##/.##/..."}
    assert sum(row.pattern_counts) == row.kept_kernels == kernels.sum()
    assert row.kernels == 24
    assert row.compression == weight.size / np.count_nonzero(weight)
    assert (row.dense_macs, row.kept_macs) == (weight.size * 80, np.count_nonzero(weight) * 80)
    assert (row.kernel, row.reason, row.joined) == (item.choice.kind, item.choice.reason, False)
    assert (row.input_loads, row.products) == (item.loads.inputs, item.loads.products)
    assert row.dense_bytes == weight.nbytes
    assert row.csr_bytes == 8 * np.count_nonzero(weight) + 4 * 7
    assert row.bytes == row.structure_bytes + item.choice.fkw.weight.nbytes


def test_a_row_is_plain_data():
    (row,) = report(planned(WIDE))
    assert json.loads(json.dumps(asdict(row))) == asdict(row)
    assert row.schedule["hold"] in ("weights", "inputs")


def test_of_a_pair_the_second_is_joined():
    first, depthwise = report(
        PlannedPair(first=planned(WIDE, planes=True), depthwise=planned(DEEP))
    )
    assert (first.joined, depthwise.joined) == (False, True)
    assert depthwise.reason == "in one kernel with layer, whose planes stay in the cache"


def test_a_layer_of_zeros_has_no_compression():
    (row,) = report(planned(ConvCase(weight=0 * WIDE.weight, padding=(0,) * 4, lanes=CPU.lanes)))
    assert (row.compression, row.kept_kernels, row.kept_macs) == (None, 0, 0)
