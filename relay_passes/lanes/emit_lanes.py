"""Emits the kernels of planned nodes, and the relayouts between them, into a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import tvm
from tvm import relax

from relay_passes.lanes.analyze_convolutions import ConvLayer
from relay_passes.lanes.assign_layouts import LayoutPlan, window_of
from relay_passes.lanes.choose_kernels import KernelChoice
from relay_passes.lanes.graph import Convolution, Copy, GlobalPool, LaneNode, Pooling
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import fixed_shape
from te_schedules.cpu.conv2d import (
    Conv2d,
    can_precede_depthwise,
    conv2d,
    conv2d_depthwise,
    is_depthwise,
)
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.count_loads import LoadCounts, count_loads
from te_schedules.cpu.elementwise import LaneInput, elementwise
from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.pool2d import global_average_pool, pool2d
from te_schedules.cpu.relayout import gather_planes, relayout_table
from te_schedules.cpu.tile_store import OperandSpec

__all__ = ["EmittedConvolution", "LaneEmitter"]


@dataclass(frozen=True, eq=False)
class _Planned:
    """A convolution, and its kernel."""

    layer: ConvLayer
    choice: KernelChoice
    kernel: Conv2d

    @property
    def constants(self) -> list[relax.Expr]:
        return [relax.const(array) for array in self.kernel.constants.values()]


@dataclass(frozen=True, kw_only=True, eq=False)
class EmittedConvolution:
    """A convolution, the kernel it got, and what that loads.

    Attributes:
        joined: it is in one kernel with the convolution before it.
    """

    layer: ConvLayer
    choice: KernelChoice
    counts: LoadCounts
    joined: bool = False


class LaneEmitter:
    """Emits bindings in order, and keeps each value in the layouts it was needed in.

    Attributes:
        convolutions: those emitted so far, in order.
    """

    def __init__(
        self,
        main: MainRebuilder,
        plan: LayoutPlan,
        choose: Callable[[ConvLayer, Conv2dGeometry, bool], KernelChoice],
    ) -> None:
        self._main, self._plan, self._choose = main, plan, choose
        self._builder = main.builder
        self.convolutions: list[EmittedConvolution] = []
        self._plain: set[relax.Var] = set()
        self._lanes: dict[tuple[relax.Var, LaneLayout], relax.Var] = {}

    def emit_binding(self, binding: relax.Binding) -> None:
        """Emits an operator that is not in lanes."""
        self.make_plain(binding.value)
        self._main.keep(binding)

    def make_plain(self, expr: relax.Expr) -> None:
        """Emits what takes the variables that ``expr`` reads out of the lanes."""

        def visit(read: relax.Expr) -> None:
            if isinstance(read, relax.Var) and read not in self._plain and self._plan.split(read):
                self._leave_lanes(read)

        relax.analysis.post_order_visit(expr, visit)

    def emit_node(self, node: LaneNode) -> None:
        """Emits the kernel of a node."""
        reads = iter(self._plan.reads(node))
        sources = [self._in_lanes(var, next(reads)) for var in node.inputs]
        if isinstance(node.operator, GlobalPool):
            self._global_pool(node, *sources[0])
            return
        name, func, constants, operands = self._kernel(node, [layout for _, layout in sources])
        self._store(node, name, func, [*(var for var, _ in sources), *constants, *operands])

    def emit_pair(self, first: LaneNode, depthwise: LaneNode) -> None:
        """Emits a convolution and the depthwise one that reads it, in one kernel if possible."""
        source, layout = self._in_lanes(first.inputs[0], self._plan.reads(first)[0])
        between = self._plan.stored(first.result, self._plan.reads(depthwise)[0])
        specs, operands = self._operands(first)
        more_specs, more_operands = self._operands(depthwise)
        one = self._convolution(first, layout, specs, planes=True)
        two = self._convolution(depthwise, between, more_specs)
        if not (can_precede_depthwise(one.kernel) and is_depthwise(two.kernel)):
            self.emit_node(first)
            self.emit_node(depthwise)
            return
        reason = f"in one kernel with {one.layer.name}, whose planes stay in the cache"
        self._report(one)
        self._report(replace(two, choice=replace(two.choice, reason=reason)), joined=True)
        args = [source, *one.constants, *operands, *two.constants, *more_operands]
        func = conv2d_depthwise(one.kernel, two.kernel)
        self._store(depthwise, f"{one.choice.kind}_conv2d_depthwise_conv2d", func, args)

    def _store(
        self, node: LaneNode, name: str, func: tvm.tirx.PrimFunc, args: Sequence[relax.Expr]
    ) -> None:
        layout = self._plan.produced(node.result)
        result = self._call(name, func, args, layout.shape(*fixed_shape(node.result)[:2]))
        self._lanes[node.result, layout.with_halo(Halo())] = result

    def _kernel(
        self, node: LaneNode, sources: Sequence[LaneLayout]
    ) -> tuple[str, tvm.tirx.PrimFunc, list[relax.Expr], list[relax.Expr]]:
        """Returns a node's kernel, its name, its constants and its epilogue's operands."""
        specs, operands = self._operands(node)
        if isinstance(node.operator, Convolution):
            planned = self._convolution(node, sources[0], specs)
            self._report(planned)
            name = f"{planned.choice.kind}_conv2d"
            return name, conv2d(planned.kernel), planned.constants, operands
        if isinstance(node.operator, Pooling):
            func = pool2d(self._geometry(node, sources[0]), node.operator.window)
            return "pool2d", func, [], operands
        assert isinstance(node.operator, Copy)
        batch, layout = fixed_shape(node.result)[0], self._plan.produced(node.result)
        inputs = self._copied(node, node.operator, sources)
        return "elementwise", elementwise(batch, inputs, layout, node.steps, specs), [], operands

    def _global_pool(self, node: LaneNode, held: relax.Var, layout: LaneLayout) -> None:
        batch, channels = fixed_shape(node.inputs[0])[:2]
        func = global_average_pool(batch, channels, layout)
        mean = self._call("global_average_pool", func, [held], (batch, channels))
        self._main.replace(node.result, self._reshape(mean, fixed_shape(node.result)))

    def _convolution(
        self,
        node: LaneNode,
        source: LaneLayout,
        specs: Sequence[OperandSpec],
        *,
        planes: bool = False,
    ) -> _Planned:
        assert isinstance(node.operator, Convolution)
        layer, geometry = node.operator.layer, self._geometry(node, source)
        choice = self._choose(layer, geometry, planes)
        kernel = Conv2d(
            geometry=geometry,
            fkw=choice.fkw,
            schedule=choice.schedule,
            steps=node.steps,
            operands=specs,
        )
        return _Planned(layer, choice, kernel)

    def _report(self, planned: _Planned, *, joined: bool = False) -> None:
        kernel = planned.kernel
        emitted = EmittedConvolution(
            layer=planned.layer,
            choice=planned.choice,
            counts=count_loads(conv2d(kernel), list(kernel.constants.values())),
            joined=joined,
        )
        self.convolutions.append(emitted)

    def _geometry(self, node: LaneNode, source: LaneLayout) -> Conv2dGeometry:
        window = window_of(node)
        assert window is not None, "only convolutions and poolings have a geometry"
        in_shape, out_shape = fixed_shape(node.inputs[0]), fixed_shape(node.result)
        return Conv2dGeometry(
            batch=in_shape[0],
            in_channels=in_shape[1],
            out_channels=out_shape[1],
            in_layout=source,
            out_layout=self._plan.produced(node.result),
            stride=window.stride,
            dilation=window.dilation,
            padding=window.padding,
        )

    def _copied(
        self, node: LaneNode, operator: Copy, sources: Sequence[LaneLayout]
    ) -> list[LaneInput]:
        return [
            LaneInput(fixed_shape(var)[1], layout, operator.repeat, operator.shuffle)
            for var, layout in zip(node.inputs, sources, strict=True)
        ]

    def _operands(self, node: LaneNode) -> tuple[list[OperandSpec], list[relax.Expr]]:
        specs: list[OperandSpec] = []
        values: list[relax.Expr] = []
        reads = iter(self._plan.reads(node)[len(node.inputs) :])
        kinds = [step.operand for step in node.steps if step.operand != "none"]
        for kind, operand in zip(kinds, node.operands, strict=True):
            if isinstance(operand, np.ndarray):
                specs.append(OperandSpec())
                values.append(relax.const(np.ascontiguousarray(operand).reshape(1, -1)))
                continue
            batch, channels = fixed_shape(operand)[:2]
            if kind == "channel":
                specs.append(OperandSpec(batch=batch))
                values.append(self._reshape(self._plain_var(operand), (batch, channels)))
                continue
            var, layout = self._in_lanes(operand, next(reads))
            specs.append(OperandSpec(batch=batch, layout=layout))
            values.append(var)
        return specs, values

    def _in_lanes(self, var: relax.Var, split: LaneLayout) -> tuple[relax.Var, LaneLayout]:
        """Returns ``var`` in the planned layout of this split, laid out anew if need be."""
        layout = self._plan.stored(var, split)
        key = (var, split.with_halo(Halo()))
        if key not in self._lanes:
            produced = self._plan.split(var)
            source = self._plan.produced(var) if produced else None
            held = self._lanes[var, produced] if produced else self._plain_var(var)
            self._lanes[key] = self._relayout(held, var, source, layout)
        return self._lanes[key], layout

    def _plain_var(self, var: relax.Var) -> relax.Expr:
        self.make_plain(var)
        return self._main.renew(var)

    def _leave_lanes(self, var: relax.Var) -> None:
        source, shape = self._plan.produced(var), fixed_shape(var)
        held = self._lanes[var, source.with_halo(Halo())]
        self._main.replace(var, self._reshape(self._relayout(held, var, source, None), shape))
        self._plain.add(var)

    def _relayout(
        self, held: relax.Expr, var: relax.Var, source: LaneLayout | None, target: LaneLayout | None
    ) -> relax.Var:
        shape = fixed_shape(var)
        area = shape[2] * shape[3]
        if source is None:
            held = self._reshape(held, (*shape[:2], area))
        in_values = source.plane_values if source else area
        table = relayout_table(source, target)
        func = gather_planes(shape[0], shape[1], in_values, table)
        out_shape = (*shape[:2], len(table))
        return self._call("relayout", func, [held, relax.const(table)], out_shape)

    def _reshape(self, value: relax.Expr, shape: Sequence[int]) -> relax.Var:
        return self._builder.emit(relax.op.reshape(value, shape))

    def _call(
        self,
        name: str,
        func: tvm.tirx.PrimFunc,
        args: Sequence[relax.Expr],
        shape: Sequence[int],
    ) -> relax.Var:
        kernel = self._builder.add_func(func, name)
        out = relax.TensorType(shape, "float32")
        return self._builder.emit(relax.call_tir(kernel, args, out))
