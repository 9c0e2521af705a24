"""The plan of everything in lanes: for each kernel its layouts, its geometry and its choice.

It is complete before anything is emitted, so it also says what a model would become, and
which kernels are worth tuning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from tvm import relax

from relay_passes.lanes.assign_layouts import LayoutPlan
from relay_passes.lanes.choose_kernels import KernelChoice
from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.recognition.graph import ChannelOperand, LaneNode, TensorOperand
from relay_passes.relax_ir.values import fixed_shape
from te_schedules.cpu.conv2d import Conv2d
from te_schedules.cpu.conv2d_depthwise import is_depthwise
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.conv2d_winograd import WinogradConv2d
from te_schedules.cpu.expected_loads import LoadCounts, expected_loads
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.epilogue import Step
from tvm_patdnn.records.tuning_key import TuningKey

__all__ = ["LanePlan", "PlannedConvolution", "PlannedItem", "PlannedNode", "PlannedPair"]


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedNode:
    """A kernel, and the layouts of what it reads and writes.

    Attributes:
        sources: in which each of ``node.tensors`` is stored.
        output: in which the result is written; None where that is not in lanes.
    """

    node: LaneNode
    sources: tuple[LaneLayout, ...]
    output: LaneLayout | None

    @property
    def steps(self) -> tuple[Step[OperandSpec], ...]:
        """The epilogue, as the kernel takes it."""
        layouts = iter(self.sources[len(self.node.inputs) :])

        def spec(operand: ChannelOperand | TensorOperand) -> OperandSpec:
            if isinstance(operand, TensorOperand):
                return OperandSpec(batch=fixed_shape(operand.var)[0], layout=next(layouts))
            if isinstance(operand.value, np.ndarray):
                return OperandSpec()
            return OperandSpec(batch=fixed_shape(operand.value)[0])

        return tuple(step.bind(spec) for step in self.node.steps)


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedConvolution(PlannedNode):
    """A convolution, and the kernel it gets.

    Attributes:
        key: what tuning records call it.
    """

    geometry: Conv2dGeometry
    choice: KernelChoice
    key: TuningKey

    @property
    def layer(self) -> ConvLayer:
        """The convolution."""
        return self.choice.layer

    @cached_property
    def kernel(self) -> Conv2d | WinogradConv2d:
        """All that determines the code of the kernel."""
        candidate = self.choice.chosen.candidate
        return candidate.kernel(self.choice.fkw, self.geometry, self.choice.schedule, self.steps)

    @property
    def name(self) -> str:
        """What the kernel's function is called, before a number."""
        kind = self.choice.kind if isinstance(self.kernel, Conv2d) else self.kernel.way
        return f"{kind}_conv2d"

    @property
    def loads(self) -> LoadCounts:
        """What the kernel will load and multiply."""
        return expected_loads(self.kernel)

    @property
    def direct(self) -> Conv2d:
        """The kernel, where it is known to apply its taps as they are."""
        assert isinstance(self.kernel, Conv2d), "only such kernels are paired"
        return self.kernel


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedPair:
    """A convolution and the depthwise one that reads it, in one kernel."""

    first: PlannedConvolution
    depthwise: PlannedConvolution

    @property
    def is_possible(self) -> bool:
        """Whether the planes of the one can be consumed by the other as they come."""
        return self.first.choice.schedule.whole_planes and is_depthwise(self.depthwise.direct)

    @property
    def kernels(self) -> tuple[Conv2d, Conv2d]:
        """Both, of which neither transforms what it reads."""
        return self.first.direct, self.depthwise.direct


PlannedItem: TypeAlias = PlannedNode | PlannedPair | relax.Binding


@dataclass(frozen=True, kw_only=True, eq=False)
class LanePlan:
    """What becomes of each binding of a function.

    Attributes:
        items: kernels, and the bindings that stay as they are, in the order of computation.
        layouts: of all tensors in lanes.
    """

    items: Sequence[PlannedItem]
    layouts: LayoutPlan

    @property
    def convolutions(self) -> list[PlannedConvolution]:
        """All convolutions, in the order of computation."""
        found: list[PlannedConvolution] = []
        for item in self.items:
            if isinstance(item, PlannedPair):
                found += [item.first, item.depthwise]
            elif isinstance(item, PlannedConvolution):
                found.append(item)
        return found
