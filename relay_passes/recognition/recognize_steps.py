"""Recognises the element-wise operators that are steps of an epilogue.

They are recognised on tensors that are in lanes already. What each makes of its first
argument is one step of ``te_schedules.cpu.epilogue``, or a few; a second argument is a number,
a number for each channel, or a tensor of the same shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set

import numpy as np
from tvm import relax

from relay_passes.recognition.graph import ChannelOperand, Copy, GraphStep, LaneNode, TensorOperand
from relay_passes.relax_ir.values import constant_value, operator_name, shape_of
from te_schedules.epilogue import Step

__all__ = ["merge_clips", "recognize_steps"]

_UNARY: Mapping[str, Callable[[relax.Call], GraphStep]] = {
    "relax.nn.relu": lambda call: Step("relu"),
    "relax.nn.leakyrelu": lambda call: Step("leaky_relu", numbers=(float(call.attrs.alpha),)),
    "relax.nn.silu": lambda call: Step("silu"),
    "relax.sigmoid": lambda call: Step("sigmoid"),
    "relax.tanh": lambda call: Step("tanh"),
    "relax.exp": lambda call: Step("exp"),
    "relax.sqrt": lambda call: Step("sqrt"),
    "relax.abs": lambda call: Step("absolute"),
    "relax.negative": lambda call: Step("multiply_number", numbers=(-1.0,)),
    "relax.clip": lambda call: Step(
        "clip", numbers=(float(call.args[1].value), float(call.args[2].value))
    ),
}

_BINARY = {
    "relax.add": "add",
    "relax.subtract": "subtract",
    "relax.multiply": "multiply",
    "relax.divide": "divide",
    "relax.maximum": "maximum",
    "relax.minimum": "minimum",
    "relax.power": "power",
    "relax.nn.prelu": "prelu",
}
_COMMUTATIVE = frozenset({"add", "multiply", "maximum", "minimum"})

_WITH_NUMBER: Mapping[str, Callable[[float], Step | None]] = {
    "add": lambda number: Step("add_number", numbers=(number,)),
    "subtract": lambda number: Step("add_number", numbers=(-number,)),
    "multiply": lambda number: Step("multiply_number", numbers=(number,)),
    "divide": lambda number: Step("multiply_number", numbers=(1 / number,)) if number else None,
    "maximum": lambda number: Step("clip", numbers=(number, math.inf)),
    "minimum": lambda number: Step("clip", numbers=(-math.inf, number)),
    "power": lambda number: {2.0: Step("square"), 0.5: Step("sqrt")}.get(number),
    "prelu": lambda number: Step("leaky_relu", numbers=(number,)),
}


def recognize_steps(var: relax.Var, value: relax.Expr, in_lanes: Set[relax.Var]) -> LaneNode | None:
    """Returns the node that computes ``var = value``; None if it is not a step on lanes."""
    operator = operator_name(value)
    if operator in _UNARY and value.args[0] in in_lanes:
        return _node(var, value.args[0], _UNARY[operator](value))
    name = _BINARY.get(operator)
    if name is None or (name == "prelu" and int(value.attrs.axis) != 1):
        return None
    left, right = value.args
    if _is_data(left, var, in_lanes):
        return _with_operand(var, name, left, right)
    if not _is_data(right, var, in_lanes):
        return None
    if name in _COMMUTATIVE:
        return _with_operand(var, name, right, left)
    if name == "subtract":
        added = _with_operand(var, "add", right, left)
        negated: GraphStep = Step("multiply_number", numbers=(-1.0,))
        return added and _node(var, right, negated, *added.steps)
    return None


def merge_clips(steps: tuple[GraphStep, ...]) -> tuple[GraphStep, ...]:
    """Joins each run of ReLUs and clips to one step, such as the two halves of a ReLU6."""
    merged: list[GraphStep] = []
    for step in steps:
        bounds, before = _bounds(step), _bounds(merged[-1]) if merged else None
        if bounds is None or before is None:
            merged.append(step)
            continue
        low, high = (min(max(bound, bounds[0]), bounds[1]) for bound in before)
        relu = (low, high) == (0.0, math.inf)
        merged[-1] = Step("relu") if relu else Step("clip", numbers=(low, high))
    return tuple(merged)


def _bounds(step: Step) -> tuple[float, float] | None:
    if step.name == "clip":
        return step.numbers[0], step.numbers[1]
    return (0.0, math.inf) if step.name == "relu" else None


def _is_data(value: relax.Expr, var: relax.Var, in_lanes: Set[relax.Var]) -> bool:
    return isinstance(value, relax.Var) and value in in_lanes and shape_of(value) == shape_of(var)


def _with_operand(
    var: relax.Var, name: str, data: relax.Var, operand: relax.Expr
) -> LaneNode | None:
    constant = constant_value(operand)
    if constant is not None:
        return _with_constant(var, name, data, constant)
    if not isinstance(operand, relax.Var) or name in ("power", "prelu"):
        return None
    batch, channels, *_ = shape_of(data)  # type: ignore[misc]
    if shape_of(operand) == shape_of(data):
        return _node(var, data, Step(name, TensorOperand(operand)))
    if shape_of(operand) == (batch, channels, 1, 1):
        return _node(var, data, Step(name, ChannelOperand(operand)))
    return None


def _with_constant(
    var: relax.Var, name: str, data: relax.Var, constant: np.ndarray
) -> LaneNode | None:
    channels = shape_of(data)[1]  # type: ignore[index]
    if constant.dtype != np.float32:
        return None
    if constant.size == 1:
        step = _WITH_NUMBER[name](float(constant.reshape(())))
        return None if step is None else _node(var, data, step)
    along_channels = name == "prelu" or constant.shape[-3:] == (channels, 1, 1)
    if constant.size != channels or not along_channels or name == "power":
        return None
    return _node(var, data, Step(name, ChannelOperand(constant.reshape(-1))))


def _node(var: relax.Var, data: relax.Var, *steps: GraphStep) -> LaneNode:
    return LaneNode(result=var, operator=Copy(), inputs=(data,), steps=steps)
