"""Builds functions of TIR directly, without the TVMScript parser, which takes seconds for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tvm.script.ir_builder import IRBuilder
from tvm.tirx import And, PrimFunc
from tvm.tirx.script import builder as T

__all__ = ["Expr", "Param", "prim_func", "when"]

Expr = Any  # TVM's expressions overload every operator, in ways its annotations do not tell
Param = tuple[str, tuple[int, ...], str]  # name, shape and dtype of a kernel's argument


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
            T.reads([])  # TVM looks through all of the code for them if they are not given
            T.writes([])
            body(*buffers)
    func = builder.get()
    return func.without_attr("global_symbol") if func.attrs else func
