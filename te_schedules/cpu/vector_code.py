"""Emits vector code: the few TIR statements of which all kernels are made.

TIR is built directly, without the TVMScript parser, which takes seconds for a kernel.
A *register* is a buffer of one vector in the default scope: LLVM promotes it to a vector
register, whereas scope "local" would be a call of the workspace allocator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tvm.script.ir_builder import IRBuilder
from tvm.tirx import And, Broadcast, Buffer, IntImm, PrimFunc, Ramp, Shuffle
from tvm.tirx.script import builder as T

__all__ = ["Expr", "Param", "VectorCode", "constant_vector", "prim_func", "when"]

Expr = Any  # TVM's expressions overload every operator, in ways its annotations do not tell
Param = tuple[str, tuple[int, ...], str]  # name, shape and dtype of a kernel's argument


@dataclass(frozen=True)
class VectorCode:
    """Loads, stores and registers of vectors of ``lanes`` float32."""

    lanes: int

    def register(self) -> Buffer:
        """Allocates a vector register."""
        return T.alloc_buffer((self.lanes,), "float32")

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
        """Repeats a scalar in all lanes; a number becomes a float32."""
        scalar = T.float32(value) if isinstance(value, int | float) else value
        return Broadcast(scalar, self.lanes)

    def permute(self, value: Expr, source: Sequence[int | None]) -> Expr:
        """Returns the vector whose lane i is lane ``source[i]`` of ``value``; None gives 0."""
        lanes = [self.lanes if lane is None else lane for lane in source]
        return Shuffle([value, self.broadcast(0.0)], [IntImm("int32", lane) for lane in lanes])


def constant_vector(values: Sequence[int]) -> Expr:
    """Returns a vector of int32 constants."""
    return Shuffle(
        [IntImm("int32", value) for value in values],
        [IntImm("int32", lane) for lane in range(len(values))],
    )


@contextmanager
def when(*conditions: Expr) -> Iterator[None]:
    """Runs what it encloses where all ``conditions`` hold; without any, always."""
    if not conditions:
        yield
        return
    condition = conditions[0]
    for other in conditions[1:]:
        condition = And(condition, other)
    with T.If(condition), T.Then():
        yield


def prim_func(params: Sequence[Param], body: Callable[..., None]) -> PrimFunc:
    """Builds a function over flat, non-aliasing buffers.

    Args:
        params: name, shape and dtype of each argument; the last one is the output.
        body: called with one buffer for each of ``params`` to emit the statements.
    """
    with IRBuilder() as builder, T.prim_func(is_private=False, s_tir=True):
        T.func_name("main")
        # 8 is the opaque pattern: Relax neither fuses this function nor looks inside.
        T.func_attr({"tirx.noalias": True, "op_pattern": 8})
        buffers = [T.arg(name, T.buffer(shape, dtype)) for name, shape, dtype in params]
        with T.sblock("root"):  # Relax's analyses expect one
            body(*buffers)
    func = builder.get()
    return func.without_attr("global_symbol") if func.attrs else func
