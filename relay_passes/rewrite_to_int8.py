"""Rewrites the layers of a quantised network, and what stands between them, to int8 kernels.

Before:  quantize(add(conv2d(dequantize(x), dequantize(constant)), dequantize(constant)))
After:   call_tir(kernel, x, packed constants, ...), where tensors of integers are planes of bytes
Requires: "main" is made of dataflow blocks; constants are not folded to numbers yet.
Ensures: the integers that the model says, but for halves that float32 rounds either way;
         what has no int8 kernel stays as it is, on numbers; the report lists the convolutions,
         and says why others are not in int8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import tvm
from tvm.ir.transform import PassContext

from relay_passes.int8.emit_int8 import emit_int8
from relay_passes.int8.plan import Int8Plan, plan_int8
from relay_passes.int8.report_int8 import notes_on_numbers, report_int8
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.reported_layers import with_layers, with_notes
from relay_passes.relax_ir.values import operator_name
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.records.tuning_records import Records

__all__ = ["RewriteToInt8", "is_quantised"]


@tvm.transform.module_pass(opt_level=0, name="RewriteToInt8")
@dataclass(frozen=True, kw_only=True)
class RewriteToInt8:
    """See the module's description.

    Attributes:
        cpu: the CPU that kernels are made for.
        names: names of layers by ``weight_key`` of their weights.
        sparse: False computes pruned layers as if they were dense.
        transforms: whether 3x3 layers may be by Winograd's.
        records: measured kernels; layers without one are left to the cost model.
    """

    cpu: CpuModel
    names: Mapping[str, str] = field(default_factory=dict)
    sparse: bool = True
    transforms: bool = True
    records: Records = field(default_factory=Records)

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        main = MainRebuilder(mod)
        plan = self.plan(main)
        rebuilt = main.rebuild(lambda: emit_int8(main, plan))
        return with_notes(with_layers(rebuilt, report_int8(plan)), notes_on_numbers(plan))

    def plan(self, main: MainRebuilder) -> Int8Plan:
        """Returns the plan that it follows."""
        how: Any = {n: getattr(self, n) for n in ("sparse", "transforms", "records")}
        return plan_int8(main.bindings, main.result, self.names, self.cpu, **how)


def is_quantised(mod: tvm.IRModule) -> bool:
    """Whether a module computes on integers that stand for numbers."""
    blocks = mod["main"].body.blocks
    bindings = (binding for block in blocks for binding in block.bindings)
    return any(operator_name(binding.value) == "relax.dequantize" for binding in bindings)
