"""Computes the steps of an epilogue of single values, as a GPU's lanes do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tvm import tirx
from tvm.tirx import Buffer
from tvm.tirx.script import builder as T

from te_schedules.epilogue import Step, operands_of
from te_schedules.tir_function import Expr, Param

__all__ = [
    "STEPS",
    "Operand",
    "OperandSpec",
    "apply_steps",
    "bind_operands",
    "operand_params",
    "store_result",
]

Emit = Callable[..., Expr]


@dataclass(frozen=True)
class OperandSpec:
    """The type of a step's operand.

    Attributes:
        tensor: it has the output's shape; else it is a number for each channel.
        batch: images that have numbers of their own: all, or 1.
    """

    tensor: bool = False
    batch: int = 1


@dataclass(frozen=True)
class Operand:
    """The buffer of a step's operand: (n or 1, channels), or (n, channels, height, width)."""

    buffer: Buffer
    spec: OperandSpec

    def value(self, n: Expr, channel: Expr, at: Expr) -> Expr:
        """Loads the operand for a value of plane (n, channel), ``at`` its place in there."""
        if self.spec.tensor:
            found = self.buffer[n, channel, 0, at]
        else:
            found = self.buffer[n if self.spec.batch > 1 else 0, channel]
        return found if str(self.buffer.dtype) == "float32" else tirx.Cast("float32", found)


def _at_least(value: Expr, low: float) -> Expr:
    return tirx.Select(value < T.float32(low), T.float32(low), value)  # NaN stays


def _at_most(value: Expr, high: float) -> Expr:
    return tirx.Select(value > T.float32(high), T.float32(high), value)


def _maximum(left: Expr, right: Expr) -> Expr:
    return _unless_nan(left, tirx.Select(left > right, left, right))


def _minimum(left: Expr, right: Expr) -> Expr:
    return _unless_nan(left, tirx.Select(left < right, left, right))


def _unless_nan(value: Expr, result: Expr) -> Expr:
    return tirx.Select(value >= T.float32(-math.inf), result, value)


def _clip(value: Expr, low: float, high: float) -> Expr:
    if low > -math.inf:
        value = _at_least(value, low)
    return _at_most(value, high) if high < math.inf else value


def _sigmoid(value: Expr) -> Expr:
    return T.float32(1) / (T.float32(1) + tirx.exp(T.float32(0) - value))


def _tanh(value: Expr) -> Expr:
    return T.float32(2) * _sigmoid(T.float32(2) * value) - T.float32(1)


STEPS: Mapping[str, Emit] = {
    "add": lambda value, operand: value + operand,
    "subtract": lambda value, operand: value - operand,
    "multiply": lambda value, operand: value * operand,
    "divide": lambda value, operand: value / operand,
    "maximum": _maximum,
    "minimum": _minimum,
    "relu": lambda value: _at_least(value, 0.0),
    "clip": _clip,
    "leaky_relu": lambda value, slope: tirx.Select(
        value < T.float32(0), value * T.float32(slope), value
    ),
    "prelu": lambda value, slope: tirx.Select(value < T.float32(0), value * slope, value),
    "sigmoid": _sigmoid,
    "silu": lambda value: value * _sigmoid(value),
    "tanh": _tanh,
    "exp": tirx.exp,
    "sqrt": tirx.sqrt,
    "square": lambda value: value * value,
    "absolute": lambda value: tirx.Select(value < T.float32(0), T.float32(0) - value, value),
    "add_number": lambda value, number: value + T.float32(number),
    "multiply_number": lambda value, number: value * T.float32(number),
}


def apply_steps(steps: Sequence[Step[Operand]], sums: Expr, n: Expr, c: Expr, at: Expr) -> Expr:
    """Returns the value after all steps; a register holds it between them.

    Args:
        n, c, at: the plane of the value, and its place in there.
    """
    held = T.alloc_buffer((1,), "float32", scope="local")
    T.buffer_store(held, sums, [0])
    for step in steps:
        operands = () if step.operand is None else (step.operand.value(n, c, at),)
        T.buffer_store(held, _applied(step, held[0], *operands), [0])
    return held[0]


def _applied(step: Step[Any], value: Expr, *operands: Expr) -> Expr:
    if step.gate:
        gate = value
        for inner in step.gate:
            gate = _applied(inner, gate)
        return value * gate
    return STEPS[step.name](value, *operands, *step.numbers)


def operand_params(
    steps: Sequence[Step[OperandSpec]], shape: Sequence[int], dtype: str
) -> list[Param]:
    """Returns the parameters of a kernel for the operands of its steps.

    Args:
        shape: of the output.
    """
    return [
        (f"operand{i}", tuple(shape) if spec.tensor else (spec.batch, shape[1]), dtype)
        for i, spec in enumerate(operands_of(steps))
    ]


def bind_operands(
    steps: Sequence[Step[OperandSpec]], buffers: Sequence[Buffer]
) -> list[Step[Operand]]:
    """Returns the steps with the buffers of ``operand_params`` for their operands."""
    remaining: Iterator[Buffer] = iter(buffers)
    return [step.bind(lambda spec: Operand(next(remaining), spec)) for step in steps]


def store_result(
    output: Buffer, steps: Sequence[Step[Operand]], sums: Expr, to: tuple[Expr, Expr, Expr]
) -> None:
    """Emits the store of a value, with the steps applied, to plane (n, channel), ``at`` there."""
    n, c, at = to
    value = apply_steps(steps, sums, n, c, at)
    if str(output.dtype) != "float32":
        value = tirx.Cast(str(output.dtype), value)
    T.buffer_store(output, value, [n, c, 0, at])
