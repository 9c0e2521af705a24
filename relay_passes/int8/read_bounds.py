"""Reads what clips a value: a bound of the bytes that are stored of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from tvm import relax

from relay_passes.int8.drafts import Draft, Known
from relay_passes.relax_ir.values import constant_value, operator_name

__all__ = ["BOUNDS"]


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


BOUNDS: Mapping[str, Callable[[Known, relax.Var, relax.Call], Draft | None]] = {
    "relax.nn.relu": _relu,
    "relax.clip": _clip,
    "relax.maximum": _bound,
    "relax.minimum": _bound,
}
