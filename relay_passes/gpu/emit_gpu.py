"""Emits the kernels of a plan into a function, between the operators that stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tvm
from tvm import relax

from relay_passes.gpu.plan_gpu import PlannedKernel
from relay_passes.lanes.graph import ChannelOperand, TensorOperand
from relay_passes.lower_gpu_kernels import COMPACT
from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import constant, fixed_shape
from te_schedules.epilogue import operands_of
from te_schedules.gpu.conv2d import conv2d, sum_parts

__all__ = ["emit_gpu"]

_SCHEDULED = {"tirx.is_scheduled": True, COMPACT: True}


def emit_gpu(main: MainRebuilder, plan: Mapping[relax.Var, PlannedKernel]) -> None:
    """Emits all bindings; of what kernels fused, nothing reads the result any more."""
    for binding in main.bindings:
        if binding.var in plan:
            main.replace(binding.var, _convolution(main, plan[binding.var]))
        else:
            main.keep(binding)


def _convolution(main: MainRebuilder, planned: PlannedKernel) -> relax.Expr:
    kernel, (data,) = planned.kernel, planned.node.inputs
    name = f"{planned.choice.kind}_conv2d"
    args = [main.renew(data), *map(constant, kernel.constants.values())]
    operands = [_operand(main, each) for each in operands_of(planned.node.steps)]
    shape, dtype = kernel.geometry.out_shape, kernel.storage
    if kernel.splits == 1:
        return _call(main, name, conv2d(kernel), [*args, *operands], shape, dtype)
    parts = _call(main, name, conv2d(kernel), args, kernel.parts_shape, "float32")
    return _call(main, f"{name}_sum", sum_parts(kernel), [parts, *operands], shape, dtype)


def _operand(main: MainRebuilder, operand: ChannelOperand | TensorOperand) -> relax.Expr:
    if isinstance(operand, TensorOperand):
        return main.renew(operand.var)
    if isinstance(operand.value, np.ndarray):
        return constant(np.ascontiguousarray(operand.value).reshape(1, -1))
    shape = fixed_shape(operand.value)[:2]
    return main.builder.emit(relax.op.reshape(main.renew(operand.value), shape))


def _call(
    main: MainRebuilder,
    name: str,
    func: tvm.tirx.PrimFunc,
    args: Sequence[relax.Expr],
    shape: Sequence[int],
    dtype: str,
) -> relax.Var:
    kernel = main.builder.add_func(func.with_attrs(_SCHEDULED), name)
    return main.builder.emit(relax.call_tir(kernel, args, relax.TensorType(shape, dtype)))
