"""Raises reductions over stacked tensors, as an importer writes them, to binary operators.

Before:  max(stack((a, b, c), axis=0), axis=0)
After:   maximum(maximum(a, b), c)
Requires: nothing; the stack itself may still be read.
Ensures: the same results, and NaN stays NaN. TVM's ONNX importer writes Max, Min and Sum in
         this form, which copies all the operands and is not a step of an epilogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import tvm
from tvm import relax
from tvm.ir.transform import PassContext

from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import operator_name

__all__ = ["RaiseStacked"]

_RAISED: Mapping[str, object] = {
    "relax.max": relax.op.maximum,
    "relax.min": relax.op.minimum,
    "relax.sum": relax.op.add,
}


@tvm.transform.module_pass(opt_level=0, name="RaiseStacked")
@dataclass(frozen=True)
class RaiseStacked:
    """See the module's description."""

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        main = MainRebuilder(mod)
        values = {binding.var: binding.value for binding in main.bindings}

        def emit_bindings() -> None:
            for binding in main.bindings:
                operands = _operands(binding.value, values)
                if operands is None:
                    main.keep(binding)
                    continue
                operator = _RAISED[operator_name(binding.value)]
                renewed = [main.renew(operand) for operand in operands]
                chain = reduce(lambda a, b: main.builder.emit(operator(a, b)), renewed)  # type: ignore[operator]
                main.replace(binding.var, chain)

        return main.rebuild(emit_bindings)


def _operands(value: relax.Expr, values: Mapping[relax.Var, relax.Expr]) -> list[relax.Expr] | None:
    """Returns the tensors whose stack ``value`` reduces to one; None if it does anything else."""
    if operator_name(value) not in _RAISED or value.attrs.keepdims:
        return None
    stack = values.get(value.args[0])
    if stack is None or operator_name(stack) != "relax.stack":
        return None
    axes = value.attrs.axis
    if axes is None or [int(axis) for axis in axes] != [0] or int(stack.attrs.axis or 0) != 0:
        return None
    fields = values.get(stack.args[0], stack.args[0])
    tensors = list(getattr(fields, "fields", ()))
    return [_unbroadcast(tensor, value, values) for tensor in tensors] or None


def _unbroadcast(
    tensor: relax.Expr, value: relax.Expr, values: Mapping[relax.Var, relax.Expr]
) -> relax.Expr:
    """Returns what was brought to the shape of ``value``, where that changed nothing."""
    before = values.get(tensor)
    if before is None or operator_name(before) != "relax.broadcast_to":
        return tensor
    source = before.args[0]
    return source if source.ty == value.ty else tensor
