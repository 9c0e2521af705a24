import json
from dataclasses import asdict

import numpy as np

from relay_passes.gpu.plan_gpu import GpuPlanOptions, plan_gpu
from relay_passes.gpu.report_gpu import report_gpu
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from tests.gpu.opencl_modules import GPU
from tests.relay_passes.relax_modules import Net
from tests.te_schedules.cpu.lane_kernels import pattern_weight


def report(weight):
    net = Net((1, weight.shape[1], 8, 10))
    main = MainRebuilder(net.module(lambda x: net.conv(x, weight, padding=1)))
    plan = plan_gpu(main.bindings, main.result, GpuPlanOptions(gpu=GPU))
    (row,) = report_gpu(plan.values())
    return row, next(iter(plan.values()))


def test_a_row_says_what_was_found_and_what_was_chosen():
    weight = pattern_weight(6, 4, ["##./##./...", ".##/.##/..."], 0.5)
    row, planned = report(weight)
    assert (row.in_shape, row.out_shape) == ([1, 4, 8, 10], [1, 6, 8, 10])
    assert set(row.patterns) == {"##./##./...", ".##/.##/..."}
    assert row.kept_kernels == np.any(weight != 0, axis=(2, 3)).sum()
    assert (row.dense_macs, row.kept_macs) == (weight.size * 80, np.count_nonzero(weight) * 80)
    assert (row.kernel, row.reason) == (planned.choice.kind, planned.choice.reason)
    assert (row.bytes, row.dense_bytes) == (planned.choice.fkw.total_bytes, weight.nbytes)
    assert not row.joined


def test_a_row_is_plain_data():
    row, _ = report(pattern_weight(6, 4, ["##./##./..."], 0.5))
    assert json.loads(json.dumps(asdict(row))) == asdict(row)


def test_a_layer_of_zeros_has_no_compression():
    row, _ = report(np.zeros((2, 3, 3, 3), np.float32))
    assert (row.compression, row.kept_kernels) == (None, 0)
