"""Reads what clips a value: a bound of the bytes that are stored of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from tvm import relax

from relay_passes.int8.drafts import Draft, Known
from relay_passes.int8.graph import Int8Node
from relay_passes.int8.int8_layers import with_layer
from relay_passes.relax_ir.values import constant_value, operator_name

__all__ = ["BOUNDS", "CLIPS", "clipped_integers"]

CLIPS = ("relax.maximum", "relax.minimum")  # of integers, as exporters say that 7 bits are used


def _relu(known: Known, var: relax.Var, value: relax.Call) -> Draft | None:
    return _within(known, value.args[0], 0.0, math.inf)


def _clip(known: Known, var: relax.Var, value: relax.Call) -> Draft | None:
    low, high = (float(bound.value) for bound in value.args[1:3])
    return _within(known, value.args[0], low, high)


def _bound(known: Known, var: relax.Var, value: relax.Call) -> Draft | None:
    """Reads a maximum or a minimum with a number."""
    for source, bound in (value.args, (value.args[1], value.args[0])):
        number = constant_value(bound)
        if number is not None and number.size == 1:
            limit = float(number.reshape(-1)[0])
            is_maximum = operator_name(value) == "relax.maximum"
            low, high = (limit, math.inf) if is_maximum else (-math.inf, limit)
            return _within(known, source, low, high)
    return None


def _within(known: Known, source: relax.Expr, low: float, high: float) -> Draft | None:
    draft = known.draft(source)
    return draft.within(low, high) if draft else None


def clipped_integers(known: Known, var: relax.Var, value: relax.Call) -> tuple[Int8Node, ...]:
    """Returns the node that computes the clipped integers of another one."""
    node, number = known.nodes[value.args[0]], constant_value(value.args[1])
    if number is None or number.size != 1 or var.ty != node.result.ty:
        return ()
    byte = int(number.reshape(-1)[0]) + (128 if node.encoding.dtype == "int8" else 0)
    if operator_name(value) == "relax.maximum":
        clipped = replace(node, low=max(node.low, byte), high=max(node.high, byte))
    else:
        clipped = replace(node, low=min(node.low, byte), high=min(node.high, byte))
    made = with_layer(replace(clipped, result=var))
    return (made,) if made else ()


BOUNDS: Mapping[str, Callable[[Known, relax.Var, relax.Call], Draft | None]] = {
    "relax.nn.relu": _relu,
    "relax.clip": _clip,
    "relax.maximum": _bound,
    "relax.minimum": _bound,
}
