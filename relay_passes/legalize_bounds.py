"""Lowers ReLU, Clip, maximum and minimum so that NaN stays NaN.

TVM's own rules compute max(x, 0), which of x = NaN makes 0: of two values that do not
compare, its result is the second one.
"""

from __future__ import annotations

from collections.abc import Callable

from tvm import relax, te, tirx, topi

from te_schedules.cpu.vector_code import Expr

__all__ = ["BOUNDS"]

Legalize = Callable[[relax.BlockBuilder, relax.Call], relax.Expr]


def _relu(builder: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    return builder.call_te(_bounded, call.args[0], 0, None, primfunc_name_hint="relu")


def _clip(builder: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
    low, high = (arg.value for arg in call.args[1:3])
    return builder.call_te(_bounded, call.args[0], low, high, primfunc_name_hint="clip")


def _bounded(data: te.Tensor, low: Expr | None, high: Expr | None) -> te.Tensor:
    def bounded(*index: Expr) -> Expr:
        value = data(*index)
        if low is not None:
            value = tirx.max(tirx.const(low, data.dtype), value)
        return value if high is None else tirx.min(tirx.const(high, data.dtype), value)

    return te.compute(data.shape, bounded)


def _binary(operation: Callable[[Expr, Expr], Expr], name: str) -> Legalize:
    def legalize(builder: relax.BlockBuilder, call: relax.Call) -> relax.Expr:
        return builder.call_te(compute, *call.args, primfunc_name_hint=name)

    def compute(left: te.Tensor, right: te.Tensor) -> te.Tensor:
        larger = topi.broadcast_to
        shape = topi.add(left, right).shape
        a, b = larger(left, shape), larger(right, shape)
        kept = _kept if str(left.dtype).startswith(("float", "bfloat")) else _plain
        return te.compute(shape, lambda *index: kept(operation, a(*index), b(*index)))

    return legalize


def _kept(operation: Callable[[Expr, Expr], Expr], left: Expr, right: Expr) -> Expr:
    return tirx.Select(tirx.isnan(left), left, operation(left, right))


def _plain(operation: Callable[[Expr, Expr], Expr], left: Expr, right: Expr) -> Expr:
    return operation(left, right)


BOUNDS: dict[str, Legalize] = {
    "relax.clip": _clip,
    "relax.maximum": _binary(tirx.max, "maximum"),
    "relax.minimum": _binary(tirx.min, "minimum"),
    "relax.nn.relu": _relu,
}
