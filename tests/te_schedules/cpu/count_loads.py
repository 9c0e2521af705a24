"""Counts what a generated kernel loads and multiplies, from its own code.

The loops of a kernel run as often as its constants say, so the code is walked with those:
every statement is visited once, for all iterations of the loops around it at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from tvm import s_tir, tirx
from tvm.ir.expr import TensorLoad
from tvm.tirx import PrimFunc

from te_schedules.cpu.expected_loads import LoadCounts

__all__ = ["count_loads"]


def count_loads(func: PrimFunc, constants: Sequence[np.ndarray]) -> LoadCounts:
    """Counts the loads of a kernel that ``conv2d`` generated.

    Args:
        func: takes (input, *constants, ...).
        constants: those of the ``Conv2d`` that it was made of.
    """
    known = dict(zip(func.params[1:], constants, strict=False))
    return _Walker(func.params[0], known).visit(func.body, {}, 1)


Values = dict[Any, np.ndarray]  # by variable: (iterations,) int64

_NONE = LoadCounts(inputs=0, products=0)
_BINARY: Mapping[type, Callable[[Any, Any], Any]] = {
    tirx.Add: np.add,
    tirx.Sub: np.subtract,
    tirx.Mul: np.multiply,
    tirx.FloorDiv: np.floor_divide,
    tirx.FloorMod: np.mod,
    tirx.Min: np.minimum,
    tirx.Max: np.maximum,
    tirx.EQ: np.equal,
    tirx.NE: np.not_equal,
    tirx.LT: np.less,
    tirx.LE: np.less_equal,
    tirx.GT: np.greater,
    tirx.GE: np.greater_equal,
    tirx.And: np.logical_and,
    tirx.Or: np.logical_or,
}


class _Walker:
    """Visits statements with the values that variables have in each iteration."""

    def __init__(self, data: Any, known: Mapping[Any, np.ndarray]) -> None:
        self._data, self._known = data, known

    def visit(self, stmt: Any, values: Values, times: int) -> LoadCounts:
        """Returns the counts of ``times`` iterations."""
        if isinstance(stmt, tirx.SeqStmt):
            return sum((self.visit(each, values, times) for each in stmt.seq), _NONE)
        if isinstance(stmt, tirx.For):
            return self._loop(stmt, values, times)
        if isinstance(stmt, tirx.IfThenElse):
            return self._branches(stmt, values, times)
        if isinstance(stmt, tirx.BufferStore):
            return self._stored(stmt.value) * times
        if isinstance(stmt, s_tir.SBlockRealize):
            return self.visit(stmt.block.body, values, times)
        return _NONE

    def _loop(self, loop: tirx.For, values: Values, times: int) -> LoadCounts:
        extents = self._every(loop.extent, values, times)
        of = np.repeat(np.arange(times), extents)
        starts = np.repeat(np.cumsum(extents) - extents, extents)
        inner = {var: each[of] for var, each in values.items()}
        inner[loop.loop_var] = np.arange(len(of)) - starts
        return self.visit(loop.body, inner, len(of))

    def _branches(self, stmt: tirx.IfThenElse, values: Values, times: int) -> LoadCounts:
        holds = self._every(stmt.condition, values, times).astype(bool)
        total = _NONE
        for case, where in ((stmt.then_case, holds), (stmt.else_case, ~holds)):
            if case is not None:
                inner = {var: each[where] for var, each in values.items()}
                total = total + self.visit(case, inner, int(where.sum()))
        return total

    def _every(self, expr: Any, values: Values, times: int) -> np.ndarray:
        return np.broadcast_to(np.asarray(self._evaluate(expr, values)), (times,))

    def _evaluate(self, expr: Any, values: Values) -> Any:
        if type(expr) in _BINARY:
            return _BINARY[type(expr)](
                self._evaluate(expr.a, values), self._evaluate(expr.b, values)
            )
        if isinstance(expr, tirx.Var):
            return values[expr]
        if isinstance(expr, tirx.Cast):
            return self._evaluate(expr.value, values)
        if isinstance(expr, TensorLoad):
            index = tuple(self._evaluate(each, values) for each in expr.indices)
            return self._known[expr.source][index].astype(np.int64)
        return int(expr)

    def _stored(self, value: Any) -> LoadCounts:
        """Counts in what a store takes: a load is stored in a register before it is used."""
        loads = isinstance(value, TensorLoad) and value.source.same_as(self._data)
        product = isinstance(value, tirx.Add) and isinstance(value.b, tirx.Mul)
        if product:  # the epilogue's products have no register on both sides
            factors = (value.a, value.b.a, value.b.b)
            product = all(isinstance(each, TensorLoad) for each in factors)
        return LoadCounts(inputs=int(loads), products=int(product))
