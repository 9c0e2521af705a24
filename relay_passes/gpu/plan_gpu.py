"""Makes the plan of a function for a GPU: which convolutions get which kernels.

Tensors stay as they are, (n, c, height, width), so that everything else can stay an operator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from tvm import relax

from relay_passes.gpu.choose_kernels import GpuChoice, choose_kernel
from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.recognition.fuse_epilogues import fuse_epilogues
from relay_passes.recognition.graph import ChannelOperand, Convolution, LaneNode, TensorOperand
from relay_passes.recognition.recognize_operators import recognize_all
from relay_passes.relax_ir.values import count_uses, fixed_shape
from te_schedules.gpu.conv2d_binding import GpuConv2d
from te_schedules.gpu.epilogue import OperandSpec
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.tuning_records import Records

__all__ = ["GpuPlanOptions", "PlannedKernel", "plan_gpu"]


@dataclass(frozen=True, kw_only=True)
class GpuPlanOptions:
    """What a plan depends on.

    Attributes:
        gpu: the GPU that kernels are made for.
        names: names of layers by ``weight_key`` of their weights.
        optimizations: which of them are used.
        storage: the type of tensors between kernels.
        records: measured schedules; layers without one are left to the cost model.
        leaves: which convolutions stay operators of TVM's.
    """

    gpu: GpuModel
    names: Mapping[str, str] = field(default_factory=dict)
    optimizations: Optimizations = field(default_factory=Optimizations)
    storage: str = "float32"
    records: Records = field(default_factory=Records)
    leaves: Callable[[ConvLayer], bool] = lambda layer: False


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannedKernel:
    """A convolution with what is fused into it, and the kernel it gets."""

    node: LaneNode
    choice: GpuChoice

    @property
    def layer(self) -> ConvLayer:
        """The convolution."""
        return self.choice.layer

    @cached_property
    def kernel(self) -> GpuConv2d:
        """All that determines the code of the kernel."""
        return self.choice.kernel([step.bind(_spec) for step in self.node.steps])


def plan_gpu(
    bindings: Sequence[relax.Binding], result: relax.Expr, options: GpuPlanOptions
) -> dict[relax.Var, PlannedKernel]:
    """Plans the function that computes ``result`` by ``bindings``, given in order.

    Returns:
        The kernels by the variable that they compute, in the order of computation; what they
        fused is read by nothing else.
    """
    recognized = recognize_all(bindings, options.names, options.leaves)
    items = fuse_epilogues(recognized, count_uses(bindings, [result]))
    return {
        item.result: _planned(item, item.operator.layer, options)
        for item in items
        if isinstance(item, LaneNode) and isinstance(item.operator, Convolution)
    }


def _planned(node: LaneNode, layer: ConvLayer, options: GpuPlanOptions) -> PlannedKernel:
    choice = choose_kernel(
        layer,
        options.gpu,
        optimizations=options.optimizations,
        storage=options.storage,
        records=options.records,
    )
    return PlannedKernel(node=node, choice=choice)


def _spec(operand: ChannelOperand | TensorOperand) -> OperandSpec:
    if isinstance(operand, TensorOperand):
        return OperandSpec(tensor=True, batch=fixed_shape(operand.var)[0])
    if isinstance(operand.value, np.ndarray):
        return OperandSpec()
    return OperandSpec(batch=fixed_shape(operand.value)[0])
