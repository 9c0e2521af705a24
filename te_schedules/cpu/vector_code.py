"""Emits vector code: the few TIR statements of which all kernels are made.

A *register* is a buffer of one vector in the default scope: LLVM promotes it to a vector
register, whereas scope "local" would be a call of the workspace allocator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tvm.tirx import Broadcast, Buffer, IntImm, Ramp, Shuffle, const
from tvm.tirx.script import builder as T

from te_schedules.tir_function import Expr, Param, prim_func, when

__all__ = ["Expr", "Param", "VectorCode", "constant_vector", "prim_func", "shuffled", "when"]


@dataclass(frozen=True)
class VectorCode:
    """Loads, stores and registers of vectors of ``lanes`` values."""

    lanes: int
    dtype: str = "float32"

    def register(self) -> Buffer:
        """Allocates a vector register."""
        return T.alloc_buffer((self.lanes,), self.dtype)

    def registers(self, count: int) -> list[Buffer]:
        """Allocates ``count`` vector registers."""
        return [self.register() for _ in range(count)]

    def get(self, register: Buffer) -> Expr:
        """Reads a register."""
        return register[Ramp(0, 1, self.lanes)]

    def set(self, register: Buffer, value: Expr) -> None:
        """Writes a register."""
        T.buffer_store(register, value, [Ramp(0, 1, self.lanes)])

    def load(self, buffer: Buffer, *index: Expr) -> Expr:
        """Reads the vector that starts at ``index``."""
        return buffer[tuple(index[:-1]) + (Ramp(index[-1], 1, self.lanes),)]  # noqa: RUF005

    def store(self, buffer: Buffer, value: Expr, *index: Expr) -> None:
        """Writes the vector that starts at ``index``."""
        T.buffer_store(buffer, value, [*index[:-1], Ramp(index[-1], 1, self.lanes)])

    def prefetch(
        self, buffer: Buffer, *index: Expr, write: bool = False, near: bool = True
    ) -> None:
        """Begins to bring the vector that starts at ``index`` to the cache.

        Args:
            write: it will be written, not read.
            near: to L1; else to L2.
        """
        keep, data_cache = 3 if near else 2, 1  # LLVM's locality, and "not for code"
        options = [T.int32(option) for option in (int(write), keep, data_cache)]
        address = T.address_of(buffer[index])
        T.evaluate(T.call_llvm_intrin("void", "llvm.prefetch", address, *options))

    def broadcast(self, value: Expr) -> Expr:
        """Repeats a scalar in all lanes; a number becomes one of ``dtype``."""
        scalar = const(value, self.dtype) if isinstance(value, int | float) else value
        return Broadcast(scalar, self.lanes)

    def permute(self, value: Expr, source: Sequence[int | None]) -> Expr:
        """Returns the vector whose lane i is lane ``source[i]`` of ``value``; None gives 0."""
        lanes = [self.lanes if lane is None else lane for lane in source]
        return shuffled([value, self.broadcast(0.0)], lanes)


def constant_vector(values: Sequence[int]) -> Expr:
    """Returns a vector of int32 constants."""
    return shuffled([IntImm("int32", value) for value in values], range(len(values)))


def shuffled(vectors: Sequence[Expr], order: Sequence[int]) -> Expr:
    """Returns the vector whose lane i is lane ``order[i]`` of all ``vectors``, put in a row."""
    return Shuffle(list(vectors), [IntImm("int32", int(lane)) for lane in order])
