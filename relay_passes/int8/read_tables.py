"""Reads operators whose results are functions of one byte: each becomes a table of 256.

That is whatever is computed of a quantised tensor and of single numbers, in any number of steps,
such as x * clip(x / 6 + 0.5, 0, 1). Every step is rounded to float32, as the model says. What is
computed of a table's bytes is a table of what these are computed of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from tvm import relax

from relay_passes.int8.drafts import Draft, Known
from relay_passes.int8.graph import Encoded, Sum, Table
from relay_passes.relax_ir.values import operator_name, tensor_shape

__all__ = ["read_table"]

Arrays = Callable[..., np.ndarray]


def read_table(known: Known, var: relax.Var, value: relax.Call) -> Table | None:
    """Returns the table of what an operator computes; None if it is none of one byte."""
    function = _function(value)
    if function is None:
        return None
    args = [found for arg in value.args if (found := _argument(known, arg)) is not None]
    tables = [arg for arg in args if isinstance(arg, Table)]
    if len(args) < len(value.args) or len({table.source.var for table in tables}) != 1:
        return None
    source = tables[0].source
    if tensor_shape(var) != tensor_shape(source.var):
        return None
    numbers = [arg.values if isinstance(arg, Table) else arg for arg in args]
    return Table(source=source, values=_computed(function, numbers))


def _argument(known: Known, expr: relax.Expr) -> Table | np.ndarray | None:
    """Returns the table of an argument, or its number; None if it has neither."""
    number = known.values(expr)
    if number is not None:
        return number.astype(np.float32).reshape(()) if number.size == 1 else None
    if isinstance(expr, relax.Var) and expr in known.tables:
        return known.tables[expr]
    draft = known.draft(expr)
    return _of_draft(known, draft) if draft else None


def _of_draft(known: Known, draft: Draft) -> Table | None:
    operator = draft.operator
    if isinstance(operator, Sum) and len(draft.inputs) == 1:
        operator = _of_bytes(known, draft.inputs[0])
    if not isinstance(operator, Table):
        return None
    values = np.clip(operator.values, np.float32(draft.low), np.float32(draft.high))
    return Table(source=operator.source, values=values)


def _of_bytes(known: Known, encoded: Encoded) -> Table:
    """Returns what bytes stand for; of bytes from a table, what those it was asked for become."""
    node, numbers = known.nodes.get(encoded.var), encoded.encoding.numbers
    if node is None or not isinstance(node.operator, Table):
        return Table(source=encoded, values=numbers)
    return Table(source=node.operator.source, values=numbers[node.table])


def _computed(function: Arrays, args: list[np.ndarray]) -> np.ndarray:
    """Returns (256,) of float32, rounded from float64, or of bool."""
    wide = [arg.astype(np.float64) if arg.dtype == np.float32 else arg for arg in args]
    with np.errstate(all="ignore"):
        found = np.asarray(function(*wide))
        return found if found.dtype == np.bool_ else found.astype(np.float32)


def _function(value: relax.Call) -> Arrays | None:
    """Returns an operator as a function of arrays; None if it is not known to be one."""
    name, attrs = operator_name(value), value.attrs
    if name == "relax.nn.leakyrelu":
        slope = float(attrs.alpha)
        return lambda x: np.where(x < 0, slope * x, x)
    if name == "relax.nn.prelu":
        return lambda x, slope: np.where(x < 0, slope * x, x)
    if name == "relax.astype":
        return (lambda x: x.astype(np.float64)) if str(attrs.dtype) == "float32" else None
    return _FUNCTIONS.get(name)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


_erf = np.vectorize(math.erf, otypes=[np.float64])

_FUNCTIONS: Mapping[str, Arrays] = {
    "relax.abs": np.abs,
    "relax.add": np.add,
    "relax.ceil": np.ceil,
    "relax.cos": np.cos,
    "relax.divide": np.divide,
    "relax.equal": np.equal,
    "relax.erf": _erf,
    "relax.exp": np.exp,
    "relax.floor": np.floor,
    "relax.greater": np.greater,
    "relax.greater_equal": np.greater_equal,
    "relax.isnan": np.isnan,
    "relax.less": np.less,
    "relax.less_equal": np.less_equal,
    "relax.log": np.log,
    "relax.maximum": np.maximum,
    "relax.minimum": np.minimum,
    "relax.multiply": np.multiply,
    "relax.negative": np.negative,
    "relax.nn.gelu": lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2,
    "relax.nn.relu": lambda x: np.maximum(x, 0),
    "relax.nn.silu": lambda x: x * _sigmoid(x),
    "relax.power": np.power,
    "relax.round": np.rint,
    "relax.rsqrt": lambda x: 1 / np.sqrt(x),
    "relax.sigmoid": _sigmoid,
    "relax.sign": np.sign,
    "relax.sin": np.sin,
    "relax.sqrt": np.sqrt,
    "relax.subtract": np.subtract,
    "relax.tanh": np.tanh,
    "relax.where": np.where,
}
