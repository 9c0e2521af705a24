"""Finds what statements need of those that stand before them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import tvm_ffi
from tvm import tirx

__all__ = ["defined_variable", "used_variables"]


def defined_variable(statement: tirx.Stmt) -> tirx.Var:
    """The variable or buffer that a Bind, DeclBuffer or AllocBuffer defines."""
    return statement.var if isinstance(statement, tirx.Bind) else statement.buffer


def used_variables(setup: Sequence[tirx.Stmt], statements: Sequence[tirx.Stmt]) -> set[tirx.Var]:
    """The variables of ``statements``, and those that their definitions in ``setup`` use."""
    found = _variables(statements)
    for each in reversed(setup):
        if defined_variable(each) in found:
            found |= _variables([each])
    return found


def _variables(statements: Iterable[tirx.Stmt]) -> set[tirx.Var]:
    found: set[tirx.Var] = set()
    for each in statements:
        tvm_ffi.structural_walk(each, (tirx.Var, lambda var: found.add(var)))
    return found
