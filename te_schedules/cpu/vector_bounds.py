"""Maxima and minima that keep NaN, at no cost.

x86's instructions return their second operand where one of both is NaN, and so does TIR's
max(a, b), which is "a > b ? a : b": the value that may be NaN comes second. AArch64 has an
instruction that keeps NaN, but no pattern of compares becomes it; it is named there.
"""

from __future__ import annotations

import math

import tvm
from tvm import tirx
from tvm.tirx.script import builder as T

from te_schedules.cpu.vector_code import Expr, VectorCode

__all__ = ["at_least", "at_most", "maximum", "minimum"]


def at_least(code: VectorCode, value: Expr, number: float) -> Expr:
    """Returns the larger of ``value`` and a number; NaN where the value is."""
    bound = code.broadcast(number)
    return _named(code, "maximum", bound, value) if _has_names() else tirx.max(bound, value)


def at_most(code: VectorCode, value: Expr, number: float) -> Expr:
    """Returns the smaller of ``value`` and a number; NaN where the value is."""
    bound = code.broadcast(number)
    return _named(code, "minimum", bound, value) if _has_names() else tirx.min(bound, value)


def maximum(code: VectorCode, left: Expr, right: Expr) -> Expr:
    """Returns the larger one; NaN where either is."""
    if _has_names():
        return _named(code, "maximum", left, right)
    return _unless_nan(code, left, tirx.max(left, right))


def minimum(code: VectorCode, left: Expr, right: Expr) -> Expr:
    """Returns the smaller one; NaN where either is."""
    if _has_names():
        return _named(code, "minimum", left, right)
    return _unless_nan(code, left, tirx.min(left, right))


def _has_names() -> bool:
    """Whether LLVM's own operation is one instruction of the target."""
    target = tvm.target.Target.current()
    triple = "" if target is None else str(target.attrs.get("mtriple", ""))
    return triple.startswith(("aarch64", "arm64"))


def _named(code: VectorCode, name: str, left: Expr, right: Expr) -> Expr:
    return T.call_llvm_pure_intrin(f"float32x{code.lanes}", f"llvm.{name}", left, right)


def _unless_nan(code: VectorCode, value: Expr, result: Expr) -> Expr:
    return tirx.Select(value >= code.broadcast(-math.inf), result, value)
