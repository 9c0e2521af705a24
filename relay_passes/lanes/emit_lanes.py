"""Emits the kernels of a plan, and the relayouts between them, into a function."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import tvm
from tvm import relax

from relay_passes.lanes.plan import LanePlan, PlannedConvolution, PlannedNode, PlannedPair
from relay_passes.recognition.graph import ChannelOperand, Copy, GlobalPool, Pooling
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import fixed_shape
from te_schedules.cpu.conv2d_depthwise import conv2d_depthwise
from te_schedules.cpu.conv2d_geometry import Conv2dGeometry
from te_schedules.cpu.elementwise import LaneInput, elementwise
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import Split
from te_schedules.cpu.pool2d import global_average_pool, pool2d
from te_schedules.cpu.relayout import relayout
from te_schedules.epilogue import operands_of

__all__ = ["emit_lanes"]


def emit_lanes(main: MainRebuilder, plan: LanePlan) -> None:
    """Emits all items of ``plan``; the result of the function leaves the lanes."""
    emitter = _Emitter(main, plan)
    for item in plan.items:
        if isinstance(item, PlannedPair):
            emitter.emit_pair(item)
        elif isinstance(item, PlannedNode):
            emitter.emit_node(item)
        else:
            emitter.emit_binding(item)
    emitter.make_plain(main.result)


class _Emitter:
    """Emits bindings in order, and keeps each value in the layouts it was needed in."""

    def __init__(self, main: MainRebuilder, plan: LanePlan) -> None:
        self._main, self._layouts, self._builder = main, plan.layouts, main.builder
        self._plain: set[relax.Var] = set()
        self._lanes: dict[tuple[relax.Var, Split], relax.Var] = {}
        self._generated: dict[Hashable, tvm.ir.GlobalVar] = {}

    def emit_binding(self, binding: relax.Binding) -> None:
        """Emits an operator that is not in lanes."""
        self.make_plain(binding.value)
        self._main.keep(binding)

    def make_plain(self, expr: relax.Expr) -> None:
        """Emits what takes the variables that ``expr`` reads out of the lanes."""

        def visit(read: relax.Expr) -> None:
            is_var = isinstance(read, relax.Var)
            if is_var and read not in self._plain and self._layouts.split(read):
                self._leave_lanes(read)

        relax.analysis.post_order_visit(expr, visit)

    def emit_node(self, planned: PlannedNode) -> None:
        """Emits the kernel of a node."""
        inputs, operands = self._arguments(planned)
        if isinstance(planned.node.operator, GlobalPool):
            self._global_pool(planned, inputs)
            return
        kernel = self._kernel(planned)
        self._store(planned, kernel, [*inputs, *_constants(planned), *operands])

    def emit_pair(self, pair: PlannedPair) -> None:
        """Emits a convolution and the depthwise one that reads it, in one kernel."""
        first, depthwise = pair.first, pair.depthwise
        inputs, operands = self._arguments(first)
        more = self._operands(depthwise)
        args = [*inputs, *_constants(first), *operands, *_constants(depthwise), *more]
        key = first.kernel.code_key, depthwise.kernel.code_key
        name = f"{first.choice.kind}_conv2d_depthwise_conv2d"
        kernel = self._once(key, name, lambda: conv2d_depthwise(*pair.kernels))
        self._store(depthwise, kernel, args)

    def _kernel(self, planned: PlannedNode) -> tvm.ir.GlobalVar:
        """Returns the kernel of a node that is written in lanes."""
        if not isinstance(planned, PlannedConvolution):
            return self._builder.add_func(*_small_kernel(planned))
        return self._once(planned.kernel.code_key, planned.name, planned.kernel.generate)

    def _once(
        self, key: Hashable, name: str, generate: Callable[[], tvm.tirx.PrimFunc]
    ) -> tvm.ir.GlobalVar:
        """Generates the kernel of a key when it is first needed: networks repeat their layers."""
        if key not in self._generated:
            self._generated[key] = self._builder.add_func(generate(), name)
        return self._generated[key]

    def _store(
        self, planned: PlannedNode, kernel: tvm.ir.GlobalVar, args: Sequence[relax.Expr]
    ) -> None:
        var, layout = planned.node.result, planned.output
        assert layout is not None, "what is not in lanes has no layout"
        result = self._call(kernel, args, layout.shape(*fixed_shape(var)[:2]))
        self._lanes[var, layout.split] = result

    def _global_pool(self, planned: PlannedNode, inputs: Sequence[relax.Expr]) -> None:
        batch, channels = fixed_shape(planned.node.inputs[0])[:2]
        func = global_average_pool(batch, channels, planned.sources[0])
        kernel = self._builder.add_func(func, "global_average_pool")
        mean = self._call(kernel, inputs, (batch, channels))
        result = planned.node.result
        self._main.replace(result, self._reshape(mean, fixed_shape(result)))

    def _arguments(self, planned: PlannedNode) -> tuple[list[relax.Expr], list[relax.Expr]]:
        """Returns the node's inputs and the operands of its epilogue, as its kernel takes them."""
        layouts = planned.sources
        inputs = [
            self._in_lanes(var, layout)
            for var, layout in zip(planned.node.inputs, layouts, strict=False)
        ]
        return inputs, self._operands(planned)

    def _operands(self, planned: PlannedNode) -> list[relax.Expr]:
        layouts = iter(planned.sources[len(planned.node.inputs) :])
        return [
            self._channel_operand(operand)
            if isinstance(operand, ChannelOperand)
            else self._in_lanes(operand.var, next(layouts))
            for operand in operands_of(planned.node.steps)
        ]

    def _channel_operand(self, operand: ChannelOperand) -> relax.Expr:
        value = operand.value
        if isinstance(value, np.ndarray):
            return relax.const(np.ascontiguousarray(value).reshape(1, -1))
        return self._reshape(self._plain_var(value), fixed_shape(value)[:2])

    def _in_lanes(self, var: relax.Var, layout: LaneLayout) -> relax.Var:
        """Returns ``var`` in a layout of the plan, laid out anew if need be."""
        key = (var, layout.split)
        if key not in self._lanes:
            split = self._layouts.split(var)
            source = self._layouts.produced(var) if split else None
            held = self._lanes[var, split] if split else self._plain_var(var)
            self._lanes[key] = self._relayout(held, var, source, layout)
        return self._lanes[key]

    def _plain_var(self, var: relax.Var) -> relax.Expr:
        self.make_plain(var)
        return self._main.renew(var)

    def _leave_lanes(self, var: relax.Var) -> None:
        source, shape = self._layouts.produced(var), fixed_shape(var)
        held = self._lanes[var, source.split]
        self._main.replace(var, self._reshape(self._relayout(held, var, source, None), shape))
        self._plain.add(var)

    def _relayout(
        self, held: relax.Expr, var: relax.Var, source: LaneLayout | None, target: LaneLayout | None
    ) -> relax.Var:
        shape = fixed_shape(var)
        area = shape[2] * shape[3]
        if source is None:
            held = self._reshape(held, (*shape[:2], area))
        func = relayout(shape[0], shape[1], source, target)
        kernel = self._builder.add_func(func, "relayout")
        values = target.plane_values if target else area
        return self._call(kernel, [held], (*shape[:2], values))

    def _reshape(self, value: relax.Expr, shape: Sequence[int]) -> relax.Var:
        return self._builder.emit(relax.op.reshape(value, shape))

    def _call(
        self, kernel: tvm.ir.GlobalVar, args: Sequence[relax.Expr], shape: Sequence[int]
    ) -> relax.Var:
        out = relax.TensorType(shape, "float32")
        return self._builder.emit(relax.call_tir(kernel, args, out))


def _small_kernel(planned: PlannedNode) -> tuple[tvm.tirx.PrimFunc, str]:
    """Returns the kernel of what is no convolution, and its name."""
    node, layout = planned.node, planned.output
    assert layout is not None, "only a global pool leaves the lanes"
    batch, channels = fixed_shape(node.result)[:2]
    if isinstance(node.operator, Pooling):
        in_shape, window = fixed_shape(node.inputs[0]), node.operator.window
        geometry = Conv2dGeometry.of(window, in_shape, channels, layout, planned.sources[0])
        return pool2d(geometry, node.operator.pool), "pool2d"
    assert isinstance(node.operator, Copy)
    repeat, shuffle = node.operator.repeat, node.operator.shuffle
    inputs = [
        LaneInput(fixed_shape(var)[1], source, repeat, shuffle)
        for var, source in zip(node.inputs, planned.sources, strict=False)
    ]
    return elementwise(batch, inputs, layout, planned.steps), "elementwise"


def _constants(planned: PlannedNode) -> list[relax.Expr]:
    if not isinstance(planned, PlannedConvolution):
        return []
    return [relax.const(array) for array in planned.kernel.constants.values()]
