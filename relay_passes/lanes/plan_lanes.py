"""Makes the plan of a function: recognises, fuses, lays out, chooses and pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tvm import relax

from relay_passes.lanes.assign_layouts import LayoutPlan, assign_layouts
from relay_passes.lanes.cheapest_layouts import cheapest_layouts
from relay_passes.lanes.choose_kernels import choose_kernel
from relay_passes.lanes.layout_costs import LayoutCosts
from relay_passes.lanes.pair_depthwise import pair_depthwise
from relay_passes.lanes.plan import (
    LanePlan,
    PlannedConvolution,
    PlannedItem,
    PlannedNode,
    PlannedPair,
)
from relay_passes.lanes.recorded_pairs import recorded_pair
from relay_passes.lanes.tuning_keys import conv2d_key
from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.recognition.fuse_epilogues import fuse_epilogues
from relay_passes.recognition.graph import Convolution, LaneNode
from relay_passes.recognition.recognize_operators import recognize_all
from relay_passes.relax_ir.values import count_uses
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.lane_layout import LaneLayout
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.tuning_records import Records

__all__ = ["PlanOptions", "plan_lanes"]


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """What a plan depends on.

    Attributes:
        cpu: the CPU that kernels are made for.
        names: names of layers by ``weight_key`` of their weights.
        optimizations: which of them are used.
        records: measured schedules; layers without one are left to the cost model.
        leaves: which convolutions stay operators of TVM's.
    """

    cpu: CpuModel
    names: Mapping[str, str] = field(default_factory=dict)
    optimizations: Optimizations = field(default_factory=Optimizations)
    records: Records = field(default_factory=Records)
    leaves: Callable[[ConvLayer], bool] = lambda layer: False


def plan_lanes(
    bindings: Sequence[relax.Binding], result: relax.Expr, options: PlanOptions
) -> LanePlan:
    """Plans the function that computes ``result`` by ``bindings``, given in order."""
    uses = count_uses(bindings, [result])
    items = fuse_epilogues(recognize_all(bindings, options.names, options.leaves), uses)
    nodes = [item for item in items if isinstance(item, LaneNode)]
    rules = assign_layouts(nodes, options.cpu.lanes)
    paired = _Planner(rules, options).pairs(nodes, uses).values()
    costs = LayoutCosts(
        cpu=options.cpu,
        records=options.records,
        optimizations=options.optimizations,
        fixed={each.node.result for pair in paired for each in (pair.first, pair.depthwise)},
    )
    layouts = cheapest_layouts(nodes, rules, costs)
    planner = _Planner(layouts, options)
    pairs = planner.pairs(nodes, uses)
    joined = {pair.first.node.result for pair in pairs.values()}
    planned: list[PlannedItem] = []
    for item in items:
        if not isinstance(item, LaneNode):
            planned.append(item)
        elif item.result not in joined:
            planned.append(pairs.get(item.result) or planner.node(item))
    return LanePlan(items=planned, layouts=layouts)


@dataclass(frozen=True)
class _Planner:
    """Chooses the kernels of nodes whose layouts are known."""

    layouts: LayoutPlan
    options: PlanOptions

    def pairs(
        self, nodes: Sequence[LaneNode], uses: Mapping[relax.Var, int]
    ) -> dict[relax.Var, PlannedPair]:
        """Returns the pairs that can be computed in one kernel, by their result.

        What was measured of each of the two alone says nothing of both; of both it decides.
        """
        candidates = pair_depthwise(nodes, self.layouts, uses)
        alone = _Planner(self.layouts, replace(self.options, records=Records()))
        planned = [
            PlannedPair(
                first=alone._convolution(first, planes=True),
                depthwise=alone._convolution(depthwise),
            )
            for depthwise in nodes
            if (first := candidates.get(depthwise.result)) is not None
        ]
        possible = [pair for pair in planned if pair.is_possible]
        if self.options.records and self.options.optimizations.complete:
            cpu, records = self.options.cpu, self.options.records
            possible = [recorded_pair(pair, cpu, records) for pair in possible]
        return {pair.depthwise.node.result: pair for pair in possible}

    def node(self, node: LaneNode) -> PlannedNode:
        """Plans a kernel of its own."""
        if isinstance(node.operator, Convolution):
            return self._convolution(node)
        return PlannedNode(node=node, sources=self.layouts.sources(node), output=self._output(node))

    def _convolution(self, node: LaneNode, *, planes: bool = False) -> PlannedConvolution:
        assert isinstance(node.operator, Convolution)
        layer, sources, output = node.operator.layer, self.layouts.sources(node), self._output(node)
        assert output is not None, "convolutions are written in lanes"
        geometry = Conv2dGeometry.of(
            layer.window, layer.in_shape, layer.out_shape[1], output, sources[0]
        )
        choice = choose_kernel(
            layer,
            geometry,
            self.options.cpu,
            optimizations=self.options.optimizations,
            records=self.options.records,
            planes=planes,
        )
        return PlannedConvolution(
            node=node,
            sources=sources,
            output=output,
            geometry=geometry,
            choice=choice,
            key=conv2d_key(layer, geometry, self.options.cpu),
        )

    def _output(self, node: LaneNode) -> LaneLayout | None:
        return self.layouts.produced(node.result) if self.layouts.split(node.result) else None
