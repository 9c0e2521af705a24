"""Raises kernels that an importer emitted for maximum and minimum back to operators.

Before:  call_tir(T_maximum, x, bound), where T_maximum stores max(x[i], bound[])
After:   maximum(x, bound)
Requires: bounds are folded to constants (FoldConstantViews) to be fused later.
Ensures: the same results. TVM's ONNX importer writes Clip in this form, so a ReLU6 would
         otherwise stay out of the epilogue of the convolution before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import tvm
from tvm import relax, s_tir, tirx
from tvm.ir import TensorLoad
from tvm.ir.transform import PassContext

from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import operator_name
from te_schedules.cpu.vector_code import Expr

__all__ = ["RaiseElementwise"]

_RAISED: Mapping[type, object] = {tirx.Max: relax.op.maximum, tirx.Min: relax.op.minimum}


@tvm.transform.module_pass(opt_level=0, name="RaiseElementwise")
@dataclass(frozen=True)
class RaiseElementwise:
    """See the module's description."""

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        main = MainRebuilder(mod)

        def emit_bindings() -> None:
            for binding in main.bindings:
                raised = _raised(mod, binding.value)
                if raised is None:
                    main.keep(binding)
                else:
                    main.replace(binding.var, main.builder.emit(main.renew(raised)))

        return main.rebuild(emit_bindings)


def _raised(mod: tvm.IRModule, value: relax.Expr) -> relax.Expr | None:
    """Returns the operator that the call of a kernel stands for; None if it is not known."""
    if operator_name(value) != "relax.call_tir" or len(value.args) != 2:
        return None
    args = list(value.args[1].fields)
    stored = _stored_value(mod[value.args[0]])
    if stored is None or type(stored) not in _RAISED or value.ty != args[0].ty:
        return None
    operator = _RAISED[type(stored)]
    if len(args) == 2 and _is_scalar(args[1]) and isinstance(stored.b, TensorLoad):
        return operator(args[0], args[1])  # type: ignore[operator]
    if len(args) == 1 and isinstance(stored.b, tirx.FloatImm):
        return operator(args[0], relax.const(stored.b.value, "float32"))  # type: ignore[operator]
    return None


def _stored_value(func: tirx.PrimFunc) -> Expr | None:
    """Returns what the innermost statement of a perfect loop nest stores, at its own place."""
    body = func.body
    while not isinstance(body, tirx.BufferStore):
        if isinstance(body, s_tir.SBlockRealize):
            body = body.block.body
        elif isinstance(body, tirx.For):
            body = body.body
        else:
            return None
    read = getattr(body.value, "a", None)
    return body.value if isinstance(read, TensorLoad) and _same_place(read, body) else None


def _same_place(read: TensorLoad, stored: tirx.BufferStore) -> bool:
    pairs = zip(read.indices, stored.indices, strict=False)
    return len(read.indices) == len(stored.indices) and all(a.same_as(b) for a, b in pairs)


def _is_scalar(arg: relax.Expr) -> bool:
    return len(arg.ty.shape.values) == 0
