"""Emits the kernels of planned nodes, and the relayouts between them, into a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tvm
from tvm import relax

from relay_passes.analyze_convolutions import ConvLayer
from relay_passes.assign_layouts import LayoutPlan, tensors_of, window_of
from relay_passes.choose_kernels import KernelChoice
from relay_passes.lane_graph import Convolution, Copy, GlobalPool, LaneNode, Pooling
from relay_passes.rebuild_main import MainRebuilder
from relay_passes.relax_values import shape_of
from te_schedules.conv2d import Conv2dGeometry, conv2d, conv2d_constants
from te_schedules.elementwise import LaneInput, elementwise
from te_schedules.lane_layout import Halo, LaneLayout
from te_schedules.pool2d import global_average_pool, pool2d
from te_schedules.relayout import gather_planes, relayout_table
from te_schedules.tile_store import OperandSpec

__all__ = ["LaneEmitter"]


class LaneEmitter:
    """Emits bindings in order, and keeps each value in the layouts it was needed in."""

    def __init__(
        self,
        main: MainRebuilder,
        plan: LayoutPlan,
        choose: Callable[[ConvLayer, Conv2dGeometry], KernelChoice],
    ) -> None:
        self._main, self._plan, self._choose = main, plan, choose
        self._builder = main.builder
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
        operator, reads = node.operator, iter(self._plan.reads(node))
        sources = [self._in_lanes(var, next(reads)) for var in node.inputs]
        shape = shape_of(node.inputs[0])
        assert shape is not None
        if isinstance(operator, GlobalPool):
            func = global_average_pool(shape[0], shape[1], sources[0][1])
            mean = self._call("global_average_pool", func, [sources[0][0]], shape[:2])
            self._main.replace(node.result, self._reshape(mean, shape_of(node.result)))
            return
        specs, operands = self._operands(node)
        data = [var for var, _ in sources]
        layout = self._plan.produced(node.result)
        if isinstance(operator, Convolution):
            choice, func, constants = self._convolution(node, operator.layer, sources[0][1], specs)
            name = f"{choice.kind}_conv2d"
            data += [relax.const(array) for array in constants]
        elif isinstance(operator, Pooling):
            name, func = "pool2d", pool2d(self._geometry(node, sources[0][1]), operator.window)
        else:
            name = "elementwise"
            func = elementwise(
                shape[0], self._copied(node, operator, sources), layout, node.steps, specs
            )
        channels = shape_of(node.result)[1]  # type: ignore[index]
        result = self._call(name, func, [*data, *operands], layout.shape(shape[0], channels))
        self._lanes[node.result, layout.with_halo(Halo())] = result

    def _convolution(
        self, node: LaneNode, layer: ConvLayer, source: LaneLayout, specs: Sequence[OperandSpec]
    ) -> tuple[KernelChoice, tvm.tirx.PrimFunc, list[np.ndarray]]:
        geometry = self._geometry(node, source)
        choice = self._choose(layer, geometry)
        func = conv2d(geometry, choice.fkw, choice.schedule, node.steps, specs)
        return choice, func, conv2d_constants(choice.fkw, choice.schedule.chunks)

    def _geometry(self, node: LaneNode, source: LaneLayout) -> Conv2dGeometry:
        window, in_shape, out_shape = window_of(node), shape_of(node.inputs[0]), shape_of(node.result)
        assert window is not None and in_shape is not None and out_shape is not None
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
        self, node: LaneNode, operator: Copy, sources: Sequence[tuple[relax.Var, LaneLayout]]
    ) -> list[LaneInput]:
        return [
            LaneInput(shape_of(var)[1], layout, operator.repeat, operator.shuffle)  # type: ignore[index]
            for var, (_, layout) in zip(node.inputs, sources, strict=True)
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
            batch, channels = shape_of(operand)[:2]  # type: ignore[index]
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
        source, shape = self._plan.produced(var), shape_of(var)
        assert shape is not None, "only tensors of fixed shape are in lanes"
        held = self._lanes[var, source.with_halo(Halo())]
        self._main.replace(var, self._reshape(self._relayout(held, var, source, None), shape))
        self._plain.add(var)

    def _relayout(
        self, held: relax.Expr, var: relax.Var, source: LaneLayout | None, target: LaneLayout | None
    ) -> relax.Var:
        shape = shape_of(var)
        assert shape is not None
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
