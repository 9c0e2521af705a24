"""Folds reshapes, transposes and the like of constants, and those that are stored as integers.

Before:  b = reshape(constant (c,), (1, c, 1, 1)); y = add(x, b)
After:   y = add(x, constant (1, c, 1, 1))
Requires: nothing.
Ensures: the same results. TVM's FoldConstant compiles a kernel for each constant, which
         takes seconds for a network; other computations on constants are left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tvm
from tvm import relax
from tvm.ir.transform import PassContext

from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import constant, constant_value, operator_name

__all__ = ["FoldConstantViews"]


def _permute(call: relax.Call, value: np.ndarray) -> np.ndarray:
    axes = call.attrs.axes
    return np.transpose(value, None if axes is None else [int(axis) for axis in axes])


def _dequantize(call: relax.Call, *values: np.ndarray) -> np.ndarray:
    stored, scale, zero = values
    shape = [1] * stored.ndim
    if scale.size > 1:
        shape[int(call.attrs.axis)] = scale.size
    integers = stored.astype(np.int64) - zero.astype(np.int64).reshape(shape)
    return (integers * scale.reshape(shape)).astype(str(call.ty.dtype))


def _reshape(call: relax.Call, value: np.ndarray) -> np.ndarray:
    return value.reshape([int(size.value) for size in call.ty.shape.values])


_FOLDED: Mapping[str, Callable[..., np.ndarray]] = {
    "relax.reshape": _reshape,
    "relax.expand_dims": _reshape,
    "relax.squeeze": _reshape,
    "relax.permute_dims": _permute,
    "relax.dequantize": _dequantize,
    # The importer guards the bounds of a Clip with these two.
    "relax.isnan": lambda call, value: np.isnan(value),
    # And it lets the indices of a Gather count from the end with these.
    "relax.less": lambda call, *values: np.less(*values),
    "relax.add": lambda call, *values: np.add(*values),
    "relax.where": lambda call, *values: np.where(*values),
}


@tvm.transform.module_pass(opt_level=0, name="FoldConstantViews")
@dataclass(frozen=True, kw_only=True)
class FoldConstantViews:
    """See the module's description.

    Attributes:
        integers: constants that are stored as integers become numbers.
    """

    integers: bool = True

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        main = MainRebuilder(mod)

        def emit_bindings() -> None:
            for binding in main.bindings:
                folded = _folded(main.renew(binding.value), self.integers)
                if folded is None:
                    main.keep(binding)
                else:
                    main.replace(binding.var, constant(folded))

        return main.rebuild(emit_bindings)


def _folded(value: relax.Expr, integers: bool) -> np.ndarray | None:
    operator = operator_name(value)
    fold = _FOLDED.get(operator)
    if fold is None or (operator == "relax.dequantize" and not integers):
        return None
    tensors = [arg for arg in value.args if not isinstance(arg, relax.ShapeExpr)]
    constants = [constant_value(arg) for arg in tensors]
    if any(constant is None for constant in constants):
        return None
    return np.array(fold(value, *constants), order="C")
