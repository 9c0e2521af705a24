"""Emits the kernels of a plan into a function, between the operators that stay.

With a storage of 16 bits, tensors between kernels are stored so. Operators that only move or
compare values take them as they are; what others read is converted for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tvm
from tvm import relax

from relay_passes.gpu.plan_gpu import PlannedKernel
from relay_passes.lower_gpu_kernels import COMPACT
from relay_passes.recognition.graph import ChannelOperand, TensorOperand
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import constant, fixed_shape, operator_name
from te_schedules.epilogue import operands_of
from te_schedules.gpu.conv2d import conv2d, sum_parts

__all__ = ["emit_gpu"]

_PLAIN = "float32"
_SCHEDULED = {"tirx.is_scheduled": True, COMPACT: True}

# Operators whose results are of their inputs, or as exact: they neither sum nor multiply up.
_OF_ANY_STORAGE = frozenset(
    {
        "relax.add",
        "relax.clip",
        "relax.concat",
        "relax.image.resize2d",
        "relax.multiply",
        "relax.nn.leakyrelu",
        "relax.nn.max_pool2d",
        "relax.nn.relu",
        "relax.sigmoid",
    }
)


def emit_gpu(main: MainRebuilder, plan: Mapping[relax.Var, PlannedKernel], storage: str) -> None:
    """Emits all bindings; of what kernels fused, nothing reads the result any more.

    Args:
        storage: the type of tensors between kernels.
    """
    emitter = _Emitter(main, storage)
    for binding in main.bindings:
        if binding.var in plan:
            emitter.emit_kernel(binding.var, plan[binding.var])
        else:
            emitter.emit_binding(binding)
    emitter.make_plain(main.result)


class _Emitter:
    """Emits bindings in order, and keeps the stored form of each value."""

    def __init__(self, main: MainRebuilder, storage: str) -> None:
        self._main, self._storage, self._builder = main, storage, main.builder
        self._stored: dict[relax.Var, relax.Expr] = {}
        self._plain: set[relax.Var] = set()

    def emit_kernel(self, var: relax.Var, planned: PlannedKernel) -> None:
        """Emits a convolution; of parts, and their sum, where its channels are split."""
        kernel, (data,) = planned.kernel, planned.node.inputs
        name = f"{planned.choice.kind}_conv2d"
        args = [self._in_storage(data), *map(constant, kernel.constants.values())]
        operands = [self._operand(each) for each in operands_of(planned.node.steps)]
        shape = kernel.geometry.out_shape
        if kernel.splits == 1:
            result = self._call(name, conv2d(kernel), [*args, *operands], shape, kernel.storage)
        else:
            parts = self._call(name, conv2d(kernel), args, kernel.parts_shape, "float32")
            add = sum_parts(kernel)
            result = self._call(f"{name}_sum", add, [parts, *operands], shape, kernel.storage)
        self._keep(var, result)

    def emit_binding(self, binding: relax.Binding) -> None:
        """Emits an operator without a kernel."""
        call = binding.value
        read = _tensors(call) if operator_name(call) in _OF_ANY_STORAGE else []
        if any(isinstance(each, relax.Var) and each in self._stored for each in read):
            self._keep(binding.var, self._builder.emit(self._with_storage(call)))
            return
        self.make_plain(call)
        self._main.keep(binding)

    def make_plain(self, expr: relax.Expr) -> None:
        """Emits the float32 form of the variables that ``expr`` reads."""

        def visit(read: relax.Expr) -> None:
            if isinstance(read, relax.Var) and read in self._stored and read not in self._plain:
                cast = self._builder.emit(relax.op.astype(self._stored[read], _PLAIN))
                self._main.replace(read, cast)
                self._plain.add(read)

        relax.analysis.post_order_visit(expr, visit)

    def _keep(self, var: relax.Var, result: relax.Expr) -> None:
        if self._storage == _PLAIN:
            self._main.replace(var, result)
        else:
            self._stored[var] = result

    def _in_storage(self, var: relax.Var) -> relax.Expr:
        if self._storage == _PLAIN:
            return self._main.renew(var)
        if var not in self._stored:
            cast = self._builder.emit(relax.op.astype(self._main.renew(var), self._storage))
            self._stored[var] = cast
            self._plain.add(var)
        return self._stored[var]

    def _with_storage(self, call: relax.Call) -> relax.Call:
        """Returns the call of an operator with its tensors in their stored form."""

        def change(arg: relax.Expr) -> relax.Expr:
            if isinstance(arg, relax.Tuple):
                return relax.Tuple([change(field) for field in arg.fields])
            if not isinstance(arg.ty, relax.TensorType):
                return arg
            if isinstance(arg, relax.Var):
                return self._in_storage(arg)
            return constant(arg.value.numpy().astype(self._storage))

        return relax.Call(call.op, [change(arg) for arg in call.args], call.attrs)

    def _operand(self, operand: ChannelOperand | TensorOperand) -> relax.Expr:
        if isinstance(operand, TensorOperand):
            return self._in_storage(operand.var)
        if isinstance(operand.value, np.ndarray):
            numbers = np.ascontiguousarray(operand.value).reshape(1, -1)
            return constant(numbers.astype(self._storage))
        shape = fixed_shape(operand.value)[:2]
        return self._builder.emit(relax.op.reshape(self._in_storage(operand.value), shape))

    def _call(
        self,
        name: str,
        func: tvm.tirx.PrimFunc,
        args: Sequence[relax.Expr],
        shape: Sequence[int],
        dtype: str,
    ) -> relax.Var:
        kernel = self._builder.add_func(func.with_attrs(_SCHEDULED), name)
        return self._builder.emit(relax.call_tir(kernel, args, relax.TensorType(shape, dtype)))


def _tensors(call: relax.Call) -> list[relax.Expr]:
    """The tensors that an operator reads; none where one is no float32 tensor of fixed shape."""
    fields = [f for arg in call.args for f in (getattr(arg, "fields", None) or [arg])]
    return [each for each in fields if isinstance(each.ty, relax.TensorType)]
