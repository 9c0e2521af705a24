"""Rewrites convolutions, and what is applied to their results, to kernels for a GPU.

Before:  conv2d(x, constant) -> add -> relu -> max_pool2d ...  on (n, c, height, width)
After:   call_tir(kernel, x, packed constants, ...) -> max_pool2d ...
Requires: "main" is made of dataflow blocks; weights are constants (FoldConstant), batch
          norm is folded (FoldBatchNorm) to be fused. DeadCodeElimination follows.
Ensures: the same results up to rounding; operators without a kernel stay as they are; the
         attribute "tvm_patdnn.layers" lists what became of each convolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import tvm
from tvm.ir.transform import PassContext

from relay_passes.gpu.emit_gpu import emit_gpu
from relay_passes.gpu.plan_gpu import GpuPlanOptions, PlannedKernel, plan_gpu
from relay_passes.gpu.report_gpu import report_gpu
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.reported_layers import with_layers
from tvm_patdnn.layer_report import LayerReport

__all__ = ["RewriteToGpu", "kernels_of", "report_of"]


@tvm.transform.module_pass(opt_level=0, name="RewriteToGpu")
@dataclass(frozen=True, kw_only=True)
class RewriteToGpu:
    """See the module's description."""

    options: GpuPlanOptions

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        main = MainRebuilder(mod)
        plan = plan_gpu(main.bindings, main.result, self.options)
        mod = main.rebuild(lambda: emit_gpu(main, plan, self.options.storage))
        return with_layers(mod, report_gpu(plan.values()))


def report_of(mod: tvm.IRModule, options: GpuPlanOptions) -> list[LayerReport]:
    """Returns what the pass would say of each convolution; the module is left as it is."""
    return report_gpu(kernels_of(mod, options))


def kernels_of(mod: tvm.IRModule, options: GpuPlanOptions) -> list[PlannedKernel]:
    """Returns the kernels that the pass would emit, in order; the module is left as it is."""
    main = MainRebuilder(mod)
    return list(plan_gpu(main.bindings, main.result, options).values())
