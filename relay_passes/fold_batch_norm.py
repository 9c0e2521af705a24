"""Folds batch norm into the convolution before it.

Before:  y = conv2d(x, w); z = batch_norm(y, gamma, beta, mean, variance)[0]
After:   y = conv2d(x, w * scale); z = y + shift, where
         scale = gamma / sqrt(variance + epsilon) and shift = beta - mean * scale
Requires: the weights and the four statistics are constants.
Ensures: the same results up to rounding. A batch norm after anything but a convolution
         that nobody else reads becomes a multiplication and an addition; one that is in
         training mode, or whose statistics are read, stays as it is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import tvm
from tvm import relax
from tvm.ir.transform import PassContext

from relay_passes.relax_ir.rebuild_main import MainRebuilder
from relay_passes.relax_ir.values import constant, constant_value, count_uses, operator_name

__all__ = ["FoldBatchNorm"]


@tvm.transform.module_pass(opt_level=0, name="FoldBatchNorm")
@dataclass(frozen=True)
class FoldBatchNorm:
    """See the module's description."""

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the rewritten module; ``mod`` is left as it is."""
        return _Folder(mod).fold()


class _Folder:
    """Folds the batch norms of one module."""

    def __init__(self, mod: tvm.IRModule) -> None:
        self.main = MainRebuilder(mod)
        self.uses = count_uses(self.main.bindings, [self.main.result])
        self.values = {binding.var: binding.value for binding in self.main.bindings}
        firsts = Counter(v.tuple_value for v in self.values.values() if _is_first(v))
        self.norms = {
            var: value
            for var, value in self.values.items()
            if _is_affine(value) and firsts[var] == self.uses[var]
        }

    def fold(self) -> tvm.IRModule:
        return self.main.rebuild(self._emit_bindings)

    def _emit_bindings(self) -> None:
        norms = [self._norm_of(binding.value) for binding in self.main.bindings]
        folded = {norm.args[0] for norm in norms if norm is not None and self._folds(norm)}
        for binding, norm in zip(self.main.bindings, norms, strict=True):
            if norm is not None:
                self.main.replace(binding.var, self._emit_norm(norm))
            elif binding.var not in folded | self.norms.keys():
                self.main.keep(binding)

    def _norm_of(self, value: relax.Expr) -> relax.Call | None:
        """Returns the batch norm whose first result ``value`` is."""
        return self.norms.get(value.tuple_value) if _is_first(value) else None

    def _folds(self, norm: relax.Call) -> bool:
        """Whether the batch norm's input is a convolution that nobody else reads."""
        data = norm.args[0]
        conv = self.values.get(data)
        if conv is None or operator_name(conv) != "relax.nn.conv2d" or self.uses[data] != 1:
            return False
        return (
            conv.attrs.kernel_layout == "OIHW"
            and str(conv.attrs.out_layout).find("C") == _axis(norm)
            and constant_value(conv.args[1]) is not None
        )

    def _emit_norm(self, norm: relax.Call) -> relax.Var:
        scale, shift = _affine(norm)
        shape = [1] * norm.args[0].ty.ndim
        shape[_axis(norm)] = -1
        builder = self.main.builder
        if self._folds(norm):
            conv = self.values[norm.args[0]]
            weight = constant_value(conv.args[1])
            assert weight is not None, "only such convolutions fold"
            scaled = constant((weight * scale.reshape(-1, 1, 1, 1)).astype(weight.dtype))
            call = relax.Call(conv.op, [conv.args[0], scaled], conv.attrs, conv.ty_args)
            data = builder.emit(self.main.renew(call))
        else:
            data = self.main.renew(norm.args[0])
            data = builder.emit(relax.op.multiply(data, constant(scale.reshape(shape))))
        return builder.emit(relax.op.add(data, constant(shift.reshape(shape))))


_BATCH_NORM = "relax.nn.batch_norm"


def _is_first(value: relax.Expr) -> bool:
    """Whether ``value`` is the first field of a tuple."""
    return isinstance(value, relax.TupleGetItem) and value.index == 0


def _is_affine(value: relax.Expr) -> bool:
    """Whether ``value`` is a batch norm of inference, with constant statistics."""
    if operator_name(value) != _BATCH_NORM or value.attrs.training or value.args[0].ty.ndim < 1:
        return False
    return all(constant_value(arg) is not None for arg in value.args[1:])


def _affine(norm: relax.Call) -> tuple[np.ndarray, np.ndarray]:
    """Returns the scale and the shift of each channel, in the dtype of the data."""
    gamma, beta, mean, variance = (constant_value(arg).astype(np.float64) for arg in norm.args[1:])  # type: ignore[union-attr]
    if not norm.attrs.scale:
        gamma = np.ones_like(gamma)
    if not norm.attrs.center:
        beta = np.zeros_like(beta)
    scale = gamma / np.sqrt(variance + float(norm.attrs.epsilon))
    dtype = str(norm.args[0].ty.dtype)
    return scale.astype(dtype), (beta - mean * scale).astype(dtype)


def _axis(norm: relax.Call) -> int:
    """Returns the axis of the channels, counted from the front."""
    return int(norm.attrs.axis) % int(norm.args[0].ty.ndim)
