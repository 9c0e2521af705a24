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

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import tvm
from tvm import relax
from tvm.ir.transform import PassContext

from relay_passes.lanes.analyze_convolutions import ConvLayer
from relay_passes.lanes.assign_layouts import assign_layouts
from relay_passes.lanes.choose_kernels import KernelChoice, choose_kernel
from relay_passes.lanes.emit_lanes import EmittedConvolution, LaneEmitter
from relay_passes.lanes.fuse_epilogues import fuse_epilogues
from relay_passes.lanes.graph import Convolution, GlobalPool, LaneNode
from relay_passes.lanes.pair_depthwise import pair_depthwise
from relay_passes.lanes.recognize_operators import recognize
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import count_uses
from relay_passes.tuned_convolutions import ConvShape, TunedConvolutions
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.tuning_records import Records

__all__ = ["LAYERS_ATTRIBUTE", "RewriteToLanes", "layer_row"]

LAYERS_ATTRIBUTE = "tvm_patdnn.layers"


@tvm.transform.module_pass(opt_level=0, name="RewriteToLanes")
@dataclass(frozen=True, kw_only=True)
class RewriteToLanes:
    """See the module's description.

    Attributes:
        cpu: the CPU that kernels are made for.
        names: names of layers by ``weight_key`` of their weights.
        optimizations: which of them are used.
        records: measured schedules; layers without one are left to the cost model.
        tuned: convolutions that are left as they are.
    """

    cpu: CpuModel
    names: Mapping[str, str] = field(default_factory=dict)
    optimizations: Optimizations = field(default_factory=Optimizations)
    records: Records = field(default_factory=dict)
    tuned: TunedConvolutions = field(default_factory=dict)

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        rewriter = _Rewriter(mod, self)
        mod = rewriter.rewrite()
        rows = [layer_row(emitted) for emitted in rewriter.convolutions]
        return mod.with_attr(LAYERS_ATTRIBUTE, json.dumps(rows))


def layer_row(emitted: EmittedConvolution) -> dict[str, object]:
    """Returns what the report says of a layer."""
    layer, choice = emitted.layer, emitted.choice
    found, schedule = layer.found, choice.schedule
    return {
        "name": layer.name,
        "in_shape": list(layer.in_shape),
        "out_shape": list(layer.out_shape),
        "kernel_shape": list(layer.kernel_shape),
        "stride": list(layer.stride),
        "groups": layer.groups,
        "patterns": [str(pattern) for pattern in found.patterns],
        "pattern_counts": list(found.counts),
        "kept_kernels": found.kept_kernels,
        "kernels": int(found.ids.size),
        "compression": found.compression if found.kept_weights else None,
        "dense_macs": layer.dense_macs,
        "kept_macs": layer.kept_macs,
        "kernel": choice.kind,
        "joined": emitted.joined,
        "reason": choice.reason,
        "schedule": {
            "rows": schedule.rows,
            "vectors": schedule.vectors,
            "group": schedule.group,
            "hold": schedule.hold.value,
            "outer": schedule.outer.value,
            "chunks": schedule.chunks,
            "window": schedule.window,
            "taps": schedule.taps.value,
        },
        "input_loads": emitted.counts.inputs,
        "products": emitted.counts.products,
        "bytes": choice.fkw.total_bytes,
        "structure_bytes": choice.fkw.structure_bytes,
        "dense_bytes": 4 * layer.weight.size,
        "csr_bytes": 8 * found.kept_weights + 4 * (layer.weight.shape[0] + 1),
    }


class _Rewriter:
    """Rewrites "main" of one module."""

    def __init__(self, mod: tvm.IRModule, options: RewriteToLanes) -> None:
        self.main, self.options = MainRebuilder(mod), options
        self.convolutions: list[EmittedConvolution] = []
        self._uses = count_uses(self.main.bindings, [self.main.result])

    def rewrite(self) -> tvm.IRModule:
        return self.main.rebuild(self._emit_items)

    def _emit_items(self) -> None:
        items = self._fused_items()
        nodes = [item for item in items if isinstance(item, LaneNode)]
        plan = assign_layouts(nodes, self.options.cpu.lanes)
        emitter = LaneEmitter(self.main, plan, self._choose)
        pairs = pair_depthwise(nodes, plan, self._uses)
        delayed = {first.result for first in pairs.values()}
        for item in items:
            if not isinstance(item, LaneNode):
                emitter.emit_binding(item)
            elif item.result in pairs:
                emitter.emit_pair(pairs[item.result], item)
            elif item.result not in delayed:
                emitter.emit_node(item)
        emitter.make_plain(self.main.result)
        self.convolutions = emitter.convolutions

    def _choose(self, layer: ConvLayer, geometry: Conv2dGeometry, planes: bool) -> KernelChoice:
        options = self.options
        return choose_kernel(
            layer,
            geometry,
            options.cpu,
            optimizations=options.optimizations,
            records=options.records,
            planes=planes,
        )

    def _is_tuned(self, node: LaneNode) -> bool:
        operator, tuned = node.operator, self.options.tuned
        return isinstance(operator, Convolution) and ConvShape.of(operator.layer) in tuned

    def _fused_items(self) -> list[LaneNode | relax.Binding]:
        items: list[LaneNode | relax.Binding] = []
        in_lanes: set[relax.Var] = set()
        for binding in self.main.bindings:
            node = recognize(binding.var, binding.value, in_lanes, self.options.names)
            if node is not None and self._is_tuned(node):
                node = None
            if node is not None and not isinstance(node.operator, GlobalPool):
                in_lanes.add(node.result)
            items.append(node or binding)
        return fuse_epilogues(items, self._uses)
