"""Computes the steps of an epilogue in vectors.

Applied to a convolution's sums they are its epilogue; applied to a tensor that is merely
loaded they are the kernels for element-wise operators.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tvm import tirx

from te_schedules.cpu.vector_bounds import at_least, at_most, maximum, minimum
from te_schedules.cpu.vector_code import Expr, VectorCode
from te_schedules.cpu.vector_math import exp, sigmoid, tanh
from te_schedules.epilogue import Step

__all__ = ["STEPS", "apply_step"]

Emit = Callable[..., Expr]


def _relu(code: VectorCode, value: Expr) -> Expr:
    return at_least(code, value, 0.0)


def _clip(code: VectorCode, value: Expr, low: float, high: float) -> Expr:
    if low > -math.inf:
        value = at_least(code, value, low)
    return at_most(code, value, high) if high < math.inf else value


def _leaky_relu(code: VectorCode, value: Expr, slope: float) -> Expr:
    return _relu(code, value) + at_most(code, value, 0.0) * code.broadcast(slope)


def _prelu(code: VectorCode, value: Expr, slope: Expr) -> Expr:
    return _relu(code, value) + at_most(code, value, 0.0) * slope


def _silu(code: VectorCode, value: Expr) -> Expr:
    return value * sigmoid(code, value)


STEPS: Mapping[str, Emit] = {
    "add": lambda code, value, operand: value + operand,
    "subtract": lambda code, value, operand: value - operand,
    "multiply": lambda code, value, operand: value * operand,
    "divide": lambda code, value, operand: value / operand,
    "maximum": maximum,
    "minimum": minimum,
    "relu": _relu,
    "clip": _clip,
    "leaky_relu": _leaky_relu,
    "prelu": _prelu,
    "sigmoid": sigmoid,
    "silu": _silu,
    "tanh": tanh,
    "exp": exp,
    "sqrt": lambda code, value: tirx.sqrt(value),
    "square": lambda code, value: value * value,
    "absolute": lambda code, value: tirx.max(value, code.broadcast(0.0) - value),
    "add_number": lambda code, value, number: value + code.broadcast(number),
    "multiply_number": lambda code, value, number: value * code.broadcast(number),
}


def apply_step(code: VectorCode, step: Step[Any], value: Expr, operand: Expr | None) -> Expr:
    """Returns the value after ``step``; ``operand`` is a vector where the step has one."""
    if step.gate:
        gate = value
        for inner in step.gate:
            gate = apply_step(code, inner, gate, None)
        return value * gate
    operands = () if operand is None else (operand,)
    return STEPS[step.name](code, value, *operands, *step.numbers)
