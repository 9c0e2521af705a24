"""What is applied to a convolution's sums before they are stored.

An epilogue is a list of steps, each a function of the value and at most one operand: a
number for each channel (bias, PReLU's slope) or a tensor of the output's shape (the
residual). The same steps, applied to a tensor that is merely loaded, are the kernels for
element-wise operators.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from tvm import tirx

from te_schedules.cpu.vector_code import Expr, VectorCode
from te_schedules.cpu.vector_math import exp, sigmoid, tanh

__all__ = ["STEPS", "Operand", "Step", "apply_step"]

Operand = Literal["none", "channel", "tensor"]


@dataclass(frozen=True)
class Step:
    """One function of an epilogue.

    Attributes:
        name: a key of ``STEPS``.
        operand: what its second argument is.
        numbers: its constants, such as the slope of a LeakyReLU.
        gate: of the step "gate", which multiplies a value by what these steps, none of
            which has an operand, make of it: SiLU, HardSwish and their like.
    """

    name: str
    operand: Operand = "none"
    numbers: tuple[float, ...] = ()
    gate: tuple[Step, ...] = ()


Emit = Callable[..., Expr]


def _max(code: VectorCode, value: Expr, number: float) -> Expr:
    return tirx.max(value, code.broadcast(number))


def _relu(code: VectorCode, value: Expr) -> Expr:
    return _max(code, value, 0.0)


def _clip(code: VectorCode, value: Expr, low: float, high: float) -> Expr:
    if low > -math.inf:
        value = _max(code, value, low)
    return tirx.min(value, code.broadcast(high)) if high < math.inf else value


def _leaky_relu(code: VectorCode, value: Expr, slope: float) -> Expr:
    negative = tirx.min(value, code.broadcast(0.0)) * code.broadcast(slope)
    return _relu(code, value) + negative


def _prelu(code: VectorCode, value: Expr, slope: Expr) -> Expr:
    return _relu(code, value) + tirx.min(value, code.broadcast(0.0)) * slope


def _silu(code: VectorCode, value: Expr) -> Expr:
    return value * sigmoid(code, value)


STEPS: Mapping[str, Emit] = {
    "add": lambda code, value, operand: value + operand,
    "subtract": lambda code, value, operand: value - operand,
    "multiply": lambda code, value, operand: value * operand,
    "divide": lambda code, value, operand: value / operand,
    "maximum": lambda code, value, operand: tirx.max(value, operand),
    "minimum": lambda code, value, operand: tirx.min(value, operand),
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


def apply_step(code: VectorCode, step: Step, value: Expr, operand: Expr | None) -> Expr:
    """Returns the value after ``step``; ``operand`` is a vector where the step has one."""
    if step.gate:
        gate = value
        for inner in step.gate:
            gate = apply_step(code, inner, gate, None)
        return value * gate
    operands = () if operand is None else (operand,)
    return STEPS[step.name](code, value, *operands, *step.numbers)
