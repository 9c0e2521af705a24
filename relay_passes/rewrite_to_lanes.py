"""Rewrites convolutions, and what stands between them, to kernels in lanes.

Before:  conv2d(x, constant) -> relu -> max_pool2d -> ...  on (n, c, height, width)
After:   call_tir(kernel, x in lanes, packed constants, ...) with a relayout where the graph
         enters and leaves the lanes, and where the split of the lanes changes
Requires: "main" is made of dataflow blocks; weights are constants (FoldConstant), batch
          norm is folded (FoldBatchNorm) to be fused.
Ensures: the same results up to rounding; operators without a kernel stay as they are; the
         attribute "tvm_patdnn.layers" lists what became of each convolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import tvm
from tvm.ir.transform import PassContext

from relay_passes.lanes.emit_lanes import emit_lanes
from relay_passes.lanes.plan import LanePlan
from relay_passes.lanes.plan_lanes import PlanOptions, plan_lanes
from relay_passes.lanes.report_layers import report_layers
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.reported_layers import with_layers

__all__ = ["RewriteToLanes", "plan_of"]


@tvm.transform.module_pass(opt_level=0, name="RewriteToLanes")
@dataclass(frozen=True, kw_only=True)
class RewriteToLanes:
    """See the module's description."""

    options: PlanOptions

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        main = MainRebuilder(mod)
        plan = plan_lanes(main.bindings, main.result, self.options)
        mod = main.rebuild(lambda: emit_lanes(main, plan))
        return with_layers(mod, report_layers(plan))


def plan_of(mod: tvm.IRModule, options: PlanOptions) -> LanePlan:
    """Returns the plan that the pass would follow; the module is left as it is."""
    main = MainRebuilder(mod)
    return plan_lanes(main.bindings, main.result, options)
