"""Writes the function "main" of a module anew, binding by binding."""

from __future__ import annotations

from collections.abc import Callable

import tvm
from tvm import relax
from tvm.relax.expr_functor import PyExprMutator, mutator

__all__ = ["MainRebuilder"]


class MainRebuilder:
    """Emits a new "main" beside the other functions of ``mod``, which is left as it is.

    Attributes:
        builder: where bindings are emitted.
        bindings: those of the old function, in order.
        result: what the old function returns.
    """

    def __init__(self, mod: tvm.IRModule) -> None:
        self._func = mod["main"]
        others = {var: func for var, func in mod.functions.items() if var.name_hint != "main"}
        self.builder = relax.BlockBuilder(tvm.IRModule(others, attrs=mod.attrs))
        self.bindings: list[relax.Binding] = [
            binding for block in self._func.body.blocks for binding in block.bindings
        ]
        self.result: relax.Expr = self._func.body.body
        self._new: dict[relax.Var, relax.Expr] = {}

    def rebuild(self, emit_bindings: Callable[[], None]) -> tvm.IRModule:
        """Returns the module with the "main" that ``emit_bindings`` emits."""
        old = self._func.attrs  # DictAttrs: iterating it does not give its keys
        attrs = {key: old[key] for key in old.keys() if key != "global_symbol"}  # noqa: SIM118
        with self.builder.function("main", list(self._func.params), attrs=attrs):
            with self.builder.dataflow():
                emit_bindings()
                result = self.builder.emit_output(self.renew(self.result))
            self.builder.emit_func_output(result)
        return self.builder.finalize()

    def keep(self, binding: relax.Binding) -> None:
        """Emits a binding of the old function as it is; an alias is replaced by its value."""
        value = self.renew(binding.value)
        if isinstance(binding, relax.MatchCast):
            self.replace(binding.var, self.builder.match_cast(value, binding.ty))
            return
        if isinstance(value, relax.Var):
            self.replace(binding.var, value)
            return
        self.replace(binding.var, self.builder.emit(value, binding.var.name))

    def replace(self, old: relax.Var, new: relax.Expr) -> None:
        """Lets ``new`` stand for a variable of the old function."""
        self._new[old] = new

    def renew(self, expr: relax.Expr) -> relax.Expr:
        """Returns ``expr`` with the variables of the old function replaced."""
        return _Substitute(self._new_var).visit_expr(expr)

    def _new_var(self, var: relax.Var) -> relax.Expr:
        return self._new.get(var, var)


@mutator
class _Substitute(PyExprMutator):
    """Replaces variables."""

    def __init__(self, replacement: Callable[[relax.Var], relax.Expr]) -> None:
        super().__init__()
        self._replacement = replacement

    def visit_var_(self, var: relax.Var) -> relax.Expr:
        return self._replacement(var)

    def visit_dataflow_var_(self, var: relax.Var) -> relax.Expr:
        return self._replacement(var)
