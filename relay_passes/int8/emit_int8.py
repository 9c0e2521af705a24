"""Emits the kernels of a plan, and what leads into and out of planes of bytes."""

from __future__ import annotations

from collections.abc import Sequence

import tvm
from tvm import relax

from relay_passes.int8.graph import Averages, Int8Node, Quantize, Table, View
from relay_passes.int8.node_kernels import kernel_of, term_of
from relay_passes.int8.plan import Int8Plan
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import tensor_shape
from te_schedules.cpu.int8.convert_planes import dequantize_planes, plain_bytes, stored_bytes
from te_schedules.cpu.int8.plane_loop import plain_shape
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.int8.pool_planes import window_shares

__all__ = ["emit_int8"]


def emit_int8(main: MainRebuilder, plan: Int8Plan) -> None:
    """Emits all items of ``plan``."""
    emitter = _Emitter(main, plan)
    for item in plan.items:
        if isinstance(item, Int8Node):
            emitter.emit_node(item)
        else:
            emitter.emit_binding(item)
    emitter.make_plain(main.result)


class _Emitter:
    """Emits bindings in order; keeps each tensor of integers as planes, plain, or both."""

    def __init__(self, main: MainRebuilder, plan: Int8Plan) -> None:
        self._main, self._plan, self._builder = main, plan, main.builder
        self._stored: dict[relax.Var, relax.Var] = {}
        self._plain: set[relax.Var] = set()
        self._nodes: set[relax.Var] = set()

    def emit_binding(self, binding: relax.Binding) -> None:
        """Emits what has no int8 kernel."""
        encoded = self._plan.known.tensor(binding.var)
        if encoded is not None and encoded.var in self._nodes:
            self._dequantize(binding)
        else:
            self.make_plain(binding.value)
            self._main.keep(binding)

    def make_plain(self, expr: relax.Expr) -> None:
        """Emits the copies of what ``expr`` reads that is stored as planes."""
        for var in relax.analysis.free_vars(expr):
            if var in self._nodes and var not in self._plain:
                shape, dtype = tensor_shape(var), str(var.ty.dtype)
                func = plain_bytes(shape, dtype)
                copy = self._call(
                    "plain_bytes", func, [self._stored[var]], plain_shape(shape), dtype
                )
                self._main.replace(var, self._reshape(copy, shape))
                self._plain.add(var)

    def emit_node(self, node: Int8Node) -> None:
        """Emits the kernel of a node."""
        inputs = [
            self._planes(var) for var in node.reads if not isinstance(node.operator, Quantize)
        ]
        if node.stores_numbers:
            self._emit_numbers(node, inputs)
            return
        self._nodes.add(node.result)
        if isinstance(node.operator, View):
            self._stored[node.result] = inputs[0]
            return
        name, func, args = self._kernel(node, inputs)
        shape = stored_shape(tensor_shape(node.result))
        self._stored[node.result] = self._call(name, func, args, shape, "uint8")

    def _emit_numbers(self, node: Int8Node, inputs: Sequence[relax.Expr]) -> None:
        shape = tensor_shape(node.result)
        numbers = self._call(*self._kernel(node, inputs), plain_shape(shape), "float32")
        self._main.replace(node.result, self._reshape(numbers, shape))

    def _kernel(
        self, node: Int8Node, inputs: Sequence[relax.Expr]
    ) -> tuple[str, tvm.tirx.PrimFunc, list[relax.Expr]]:
        if node.result in self._plan.kernels:
            kernel = self._plan.kernels[node.result].kernel
            constants = [relax.const(array) for array in kernel.constants.values()]
            what = "fully_connected" if node.int8 and node.int8.flat else "conv2d"
            name = f"int8_{kernel.kind}_{what}"
            return name, kernel.func, [inputs[0], *constants, *inputs[1:]]
        name, func = kernel_of(node)
        if isinstance(node.operator, Quantize):
            source = self._main.renew(node.operator.source)
            return name, func, [self._reshape(source, plain_shape(tensor_shape(node.result)))]
        if isinstance(node.operator, Averages):
            pool, count = node.operator.pool, node.operator.count_padding
            shares = [window_shares(pool, axis, count_padding=count) for axis in (0, 1)]
            return name, func, [*inputs, *map(relax.const, shares)]
        if isinstance(node.operator, Table):
            return name, func, [*inputs, relax.const(node.table)]
        return name, func, list(inputs)

    def _planes(self, var: relax.Var) -> relax.Var:
        """Returns a tensor of integers as planes, copied there if need be."""
        if var not in self._stored:
            shape, dtype = tensor_shape(var), str(var.ty.dtype)
            plain = self._reshape(self._main.renew(var), plain_shape(shape))
            func = stored_bytes(shape, dtype)
            out_shape = stored_shape(shape)
            self._stored[var] = self._call("stored_bytes", func, [plain], out_shape, "uint8")
        return self._stored[var]

    def _dequantize(self, binding: relax.Binding) -> None:
        encoded, shape = self._plan.known.encoded[binding.var], tensor_shape(binding.var)
        func = dequantize_planes(shape, term_of(encoded.encoding))
        args = [self._planes(encoded.var)]
        numbers = self._call("dequantize_planes", func, args, plain_shape(shape), "float32")
        self._main.replace(binding.var, self._reshape(numbers, shape))

    def _reshape(self, value: relax.Expr, shape: Sequence[int]) -> relax.Var:
        return self._builder.emit(relax.op.reshape(value, shape))

    def _call(
        self,
        name: str,
        func: tvm.tirx.PrimFunc,
        args: Sequence[relax.Expr],
        shape: Sequence[int],
        dtype: str,
    ) -> relax.Var:
        kernel = self._builder.add_func(func, name)
        out = relax.TensorType(shape, dtype)
        return self._builder.emit(relax.call_tir(kernel, args, out))
