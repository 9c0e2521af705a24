"""Networks in which a convolution shares its kernel with the depthwise one behind it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import tvm
from tvm import relax

from relay_passes.lanes.plan import LanePlan
from relay_passes.lanes.plan_lanes import PlanOptions, plan_lanes
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from tests.relay_passes.relax_modules import CPU, Net, random_array
from tvm_patdnn.records.tuning_records import Record, Records

__all__ = ["mobile_module", "mobile_plan"]

KEPT = np.random.default_rng(0).random((16, 8, 1, 1)) < 0.4


def mobile_module(size: int = 9) -> tvm.IRModule:
    """A pruned pointwise convolution, its ReLU, and a depthwise one with a bias."""
    net = Net((1, 8, size, size))

    def body(x):
        wide = net.conv(x, random_array(16, 8, 1, 1) * KEPT)
        wide = net(
            relax.op.nn.relu(net(relax.op.add(wide, relax.const(random_array(1, 16, 1, 1)))))
        )
        deep = net(net.conv(wide, random_array(16, 1, 3, 3), groups=16, padding=1))
        return relax.op.add(deep, relax.const(random_array(1, 16, 1, 1, seed=1)))

    return net.module(body)


def mobile_plan(records: Iterable[Record] = (), size: int = 9) -> LanePlan:
    """The plan of ``mobile_module``."""
    main = MainRebuilder(mobile_module(size))
    return plan_lanes(main.bindings, main.result, PlanOptions(cpu=CPU, records=Records(records)))
