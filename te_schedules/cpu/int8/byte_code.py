"""Emits code for bytes and the numbers they stand for, in vectors of any length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tvm import tirx
from tvm.tirx import Broadcast, Buffer, Ramp
from tvm.tirx.script import builder as T

from te_schedules.cpu.vector_code import Expr

__all__ = ["ByteCode", "StoredRange", "Term"]

ROUNDING = 1.5 * 2**23  # the float32 whose unit is 1: what is added to it is rounded, half to even
ROUNDING_BITS = int(np.float32(ROUNDING).view(np.int32))


@dataclass(frozen=True, kw_only=True)
class StoredRange:
    """How numbers, in steps, are stored.

    Attributes:
        zero: the byte that stands for 0.
        low, high: bounds of the bytes.
    """

    zero: int
    low: int = 0
    high: int = 255


@dataclass(frozen=True, kw_only=True)
class Term:
    """What bytes stand for: ``scale * (byte - zero)``, in steps of a result."""

    scale: float
    zero: int

    def is_stored_as(self, stored: StoredRange) -> bool:
        """Whether the bytes themselves are what is stored."""
        return self.scale == 1.0 and stored == StoredRange(zero=self.zero)


@dataclass(frozen=True)
class ByteCode:
    """Loads, stores and conversions of ``lanes`` values; one value is a scalar."""

    lanes: int

    def load(self, buffer: Buffer, *index: Expr) -> Expr:
        """Reads the values that start at ``index``."""
        return buffer[self._at(index)]

    def store(self, buffer: Buffer, value: Expr, *index: Expr) -> None:
        """Writes the values that start at ``index``."""
        T.buffer_store(buffer, value, list(self._at(index)))

    def repeat(self, scalar: Expr) -> Expr:
        """Repeats a scalar in all lanes."""
        return scalar if self.lanes == 1 else Broadcast(scalar, self.lanes)

    def float(self, value: float) -> Expr:
        """Repeats a number in all lanes."""
        return self.repeat(T.float32(value))

    def integers(self, data: Expr) -> Expr:
        """Widens uint8 to int32."""
        return T.Cast(self.dtype("int32"), data)

    def numbers(self, data: Expr, term: Term) -> Expr:
        """Returns what uint8 stand for, as float32."""
        steps = self.integers(data) - self.repeat(T.int32(term.zero))
        value = T.Cast(self.dtype("float32"), steps)
        return value if term.scale == 1.0 else value * self.float(term.scale)

    def bytes(self, steps: Expr, stored: StoredRange) -> Expr:
        """Returns the bytes that store float32, rounded half to even."""
        steps = tirx.max(steps, self.float(stored.low - stored.zero))
        steps = tirx.min(steps, self.float(stored.high - stored.zero))
        bits = T.reinterpret(self.dtype("int32"), steps + self.float(ROUNDING))
        byte = bits - self.repeat(T.int32(ROUNDING_BITS - stored.zero))
        return T.Cast(self.dtype("uint8"), byte)

    def flip(self, data: Expr, dtype: str) -> Expr:
        """Returns uint8 as the ``dtype`` int8 that are 128 less, or the reverse."""
        bits = T.reinterpret(self.dtype("uint8"), data) ^ self.repeat(T.uint8(128))
        return T.reinterpret(self.dtype(dtype), bits)

    def dtype(self, element: str) -> str:
        """Returns the name of the vector's type."""
        return element if self.lanes == 1 else f"{element}x{self.lanes}"

    def _at(self, index: Sequence[Expr]) -> tuple[Expr, ...]:
        last = index[-1] if self.lanes == 1 else Ramp(index[-1], 1, self.lanes)
        return (*index[:-1], last)
