"""Reads what ``quantize`` and ``dequantize`` say: which numbers stand for which values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from tvm import relax

from relay_passes.relax_ir.values import constant_value, operator_name

__all__ = ["NUMBERS", "Constant", "Encoding", "read_constant", "read_encoding"]

_FLIP = 128  # what int8 are less than the bytes that store them


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What the bytes of a tensor stand for: ``scale * (byte - zero)``.

    Attributes:
        dtype: of the tensor in the model; int8 are stored as the uint8 that are 128 more,
            float32 as they are.
    """

    scale: float
    zero: int
    dtype: str = "uint8"

    @property
    def numbers(self) -> np.ndarray:
        """(256,) float32: what each byte stands for."""
        steps = np.arange(256, dtype=np.float32) - np.float32(self.zero)
        return np.asarray(steps * np.float32(self.scale))

    def byte(self, value: float) -> int:
        """Returns the byte that ``value``, which may be infinite, is stored as."""
        return int(self.bytes(np.float32(value)))

    def bytes(self, values: np.ndarray | np.float32) -> np.ndarray:
        """Returns the bytes (uint8) that float32, which may be infinite, are stored as."""
        steps = np.rint(values / np.float32(self.scale)) + self.zero
        return np.asarray(np.clip(steps, 0, 255).astype(np.uint8))


NUMBERS = Encoding(scale=1.0, zero=0, dtype="float32")


@dataclass(frozen=True, kw_only=True, eq=False)
class Constant:
    """A constant that is given as integers.

    Attributes:
        integers: int32, without the zero point.
        scale: float32, of the same shape.
    """

    integers: np.ndarray
    scale: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """What the integers stand for, float64."""
        return self.integers * self.scale.astype(np.float64)

    def reshape(self, shape: tuple[int, ...]) -> Constant:
        """Returns the constant in another shape."""
        return Constant(integers=self.integers.reshape(shape), scale=self.scale.reshape(shape))

    def transpose(self, axes: tuple[int, ...]) -> Constant:
        """Returns the constant with its axes in another order."""
        return Constant(integers=self.integers.transpose(axes), scale=self.scale.transpose(axes))


def read_encoding(call: relax.Call) -> Encoding | None:
    """Returns the encoding that a ``quantize`` or ``dequantize`` names.

    None if it is not of bytes, or differs between parts of the tensor.
    """
    scale, zero = (constant_value(arg) for arg in call.args[1:3])
    if scale is None or zero is None or scale.size != 1 or zero.size != 1:
        return None
    quantised = call if operator_name(call) == "relax.quantize" else call.args[0]
    dtype = str(quantised.ty.dtype)
    number = float(scale.reshape(-1)[0])
    if dtype not in ("uint8", "int8") or not np.isfinite(number) or number <= 0:
        return None
    flip = _FLIP if dtype == "int8" else 0
    return Encoding(scale=number, zero=int(zero.reshape(-1)[0]) + flip, dtype=dtype)


def read_constant(value: relax.Expr, known: Mapping[relax.Var, Constant]) -> Constant | None:
    """Returns the constant that a binding computes from integers; None if it does not.

    Args:
        known: those that bindings before it compute.
    """
    operator = operator_name(value)
    if operator == "relax.dequantize":
        return _dequantized(value)
    source = known.get(value.args[0]) if operator in _VIEWS and _is_var(value.args[0]) else None
    if source is None:
        return None
    if operator == "relax.permute_dims":
        axes = value.attrs.axes
        order = range(source.integers.ndim)[::-1] if axes is None else axes
        return source.transpose(tuple(int(axis) for axis in order))
    return source.reshape(tuple(int(size.value) for size in value.ty.shape.values))


_VIEWS = frozenset({"relax.reshape", "relax.permute_dims", "relax.expand_dims", "relax.squeeze"})


def _is_var(expr: relax.Expr) -> bool:
    return isinstance(expr, relax.Var)


def _dequantized(call: relax.Call) -> Constant | None:
    stored, scale, zero = (constant_value(arg) for arg in call.args)
    if stored is None or scale is None or zero is None or stored.dtype.itemsize > 4:
        return None
    shape = [1] * stored.ndim
    if scale.size > 1:
        shape[int(call.attrs.axis)] = scale.size
    scale = np.broadcast_to(scale.astype(np.float32).reshape(shape), stored.shape)
    zero = zero.astype(np.int64).reshape(shape if zero.size > 1 else [1] * stored.ndim)
    integers = stored.astype(np.int64) - zero
    if np.abs(integers).max(initial=0) >= 2**31:
        return None
    return Constant(integers=integers.astype(np.int32), scale=scale)
