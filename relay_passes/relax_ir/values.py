"""Reads what the passes need to know off Relax expressions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from tvm import relax
from tvm.ir.expr import GenericConst

__all__ = [
    "constant",
    "constant_value",
    "count_uses",
    "fixed_shape",
    "operator_name",
    "shape_of",
    "tensor_shape",
]


def operator_name(expr: relax.Expr) -> str:
    """Returns the name of the operator that ``expr`` calls, such as "relax.add"; else ""."""
    if not isinstance(expr, relax.Call):
        return ""
    return getattr(expr.op, "name", "")


def shape_of(expr: relax.Expr) -> tuple[int, ...] | None:
    """Returns the shape of a float32 tensor; None if it is not one, or not fixed."""
    info = expr.ty
    if not isinstance(info, relax.TensorType) or info.dtype != "float32":
        return None
    return _sizes(info)


def fixed_shape(expr: relax.Expr) -> tuple[int, ...]:
    """Returns the shape of what is known to be a float32 tensor of fixed shape."""
    shape = shape_of(expr)
    assert shape is not None, "recognised operators have tensors of fixed shape"
    return shape


def tensor_shape(expr: relax.Expr) -> tuple[int, ...]:
    """Returns the shape of what is known to be a tensor of fixed shape, of any type."""
    shape = _sizes(expr.ty)
    assert shape is not None, "recognised operators have tensors of fixed shape"
    return shape


def _sizes(info: relax.TensorType) -> tuple[int, ...] | None:
    if not isinstance(info.shape, relax.ShapeExpr):
        return None
    sizes = [getattr(size, "value", None) for size in info.shape.values]
    fixed = tuple(int(size) for size in sizes if size is not None)
    return fixed if len(fixed) == len(sizes) else None


def constant_value(expr: relax.Expr) -> np.ndarray | None:
    """Returns the value of a constant; None if ``expr`` is not one."""
    return expr.value.numpy() if isinstance(expr, GenericConst) else None


def constant(value: np.ndarray) -> relax.Expr:
    """Returns a constant of the dtype of ``value``; ``relax.const`` would halve 64 bits."""
    return relax.const(value, str(value.dtype))


def count_uses(bindings: Sequence[relax.Binding], results: Sequence[relax.Expr]) -> Counter:
    """Counts how often each variable is read, by bindings or as a result."""
    uses: Counter = Counter()

    def visit(expr: relax.Expr) -> None:
        if isinstance(expr, relax.Var):
            uses[expr] += 1

    for binding in bindings:
        relax.analysis.post_order_visit(binding.value, visit)
    for result in results:
        relax.analysis.post_order_visit(result, visit)
    return uses
