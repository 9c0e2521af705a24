"""Splits a kernel into stages: plain functions that threads run side by side.

Before:  a lowered kernel; loops that are shared by threads (``parallel``) stand among others
After:   for each such loop, and for what stands between two of them, a function of pointers,
         ``int stage(void *buffer, ..., int32_t first, int32_t behind)``, which computes the
         iterations from ``first`` up to ``behind`` of its loop; a stage without such a loop
         takes buffers only, and is for one thread
Requires: loops lowered, but functions not yet packed; static shapes
Ensures: the stages one after the other, each with its iterations in any order or at once,
         compute what the kernel did. They allocate nothing but what fits a stack: what several
         stages share, and larger buffers, are parameters. They return 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import tvm_ffi
from tvm import tirx
from tvm.ir import PrimType

from tvm_patdnn.standalone.plain_function import plain_function
from tvm_patdnn.standalone.tensor_bytes import aligned_bytes, tensor_bytes
from tvm_patdnn.standalone.used_variables import defined_variable, used_variables

__all__ = ["Argument", "Kernel", "Stage", "split_kernel"]

_DEFINITIONS = (tirx.DeclBuffer, tirx.Bind, tirx.AllocBuffer)
_STACK = 1024  # bytes from which TVM would allocate memory for a buffer


class Argument(NamedTuple):
    """What a stage wants as a pointer.

    Attributes:
        kind: "parameter" of the kernel, "shared" by its stages, or "scratch" of one thread.
        number: which of the kernel's parameters or shared buffers; the offset in the scratch.
    """

    kind: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A function to call.

    Attributes:
        symbol: its name.
        iterations: of its loop; 1: it has no loop to share.
        scratch: bytes that each thread needs.
    """

    symbol: str
    function: tirx.PrimFunc
    arguments: tuple[Argument, ...]
    iterations: int
    scratch: int


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """The stages in order, and the bytes of the buffers that they share."""

    stages: tuple[Stage, ...]
    shared: tuple[int, ...]


def split_kernel(func: tirx.PrimFunc, symbol: str) -> Kernel:
    """Splits ``func``; the stages are named ``symbol``, or ``symbol_0``, ``symbol_1``, ..."""
    body = list(func.body.seq) if isinstance(func.body, tirx.SeqStmt) else [func.body]
    setup = [each for each in body if isinstance(each, _DEFINITIONS)]
    groups = _groups(each for each in body if not isinstance(each, _DEFINITIONS))
    allocated = [each for each in setup if isinstance(each, tirx.AllocBuffer)]
    shared = [each for each in allocated if _is_shared(each, groups, setup)]
    setup = [each for each in setup if each not in shared]
    places = {var: Argument("parameter", i) for i, var in enumerate(func.params)}
    places |= {each.buffer: Argument("shared", i) for i, each in enumerate(shared)}
    target = func.attrs["target"]
    stages = [
        _StageMaker(f"{symbol}_{i}" if len(groups) > 1 else symbol, target).make(
            places, setup, statements
        )
        for i, statements in enumerate(groups)
    ]
    return Kernel(stages=tuple(stages), shared=tuple(_bytes(each) for each in shared))


def _groups(statements: Iterable[tirx.Stmt]) -> list[list[tirx.Stmt]]:
    """Each parallel loop by itself, what stands between two of them together."""
    groups: list[list[tirx.Stmt]] = []
    for each in statements:
        if groups and not _is_parallel(each) and not _is_parallel(groups[-1][0]):
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _is_shared(
    allocated: tirx.AllocBuffer,
    groups: Sequence[Sequence[tirx.Stmt]],
    setup: Sequence[tirx.Stmt],
) -> bool:
    users = [group for group in groups if allocated.buffer in used_variables(setup, group)]
    return len(users) > 1 or _bytes(allocated) >= _STACK


class _StageMaker:
    """Makes one stage."""

    def __init__(self, symbol: str, target: Any) -> None:
        self._symbol, self._target = symbol, target
        self._scratch: dict[tirx.Var, Argument] = {}
        self._scratch_bytes = 0

    def make(
        self,
        places: Mapping[tirx.Var, Argument],
        setup: Sequence[tirx.Stmt],
        statements: Sequence[tirx.Stmt],
    ) -> Stage:
        """Makes it of ``statements`` and what they need of ``setup``.

        Args:
            places: the kernel's parameters and shared buffers.
        """
        used = used_variables(setup, statements)
        kept = [each for each in setup if defined_variable(each) in used]
        body = [self._without_large_buffers(each) for each in (*kept, *statements)]
        iterations = int(statements[0].extent) if _is_parallel(statements[0]) else 1
        bounds = [tirx.Var(name, PrimType("int32")) for name in ("first", "behind")]
        bounds = bounds if iterations > 1 else []
        if bounds:
            body[-1] = _part(body[-1], *bounds)
        given = {var: place for var, place in places.items() if var in used} | self._scratch
        return Stage(
            symbol=self._symbol,
            function=plain_function(
                self._symbol, self._target, list(given), bounds, [_serial(each) for each in body]
            ),
            arguments=tuple(given.values()),
            iterations=iterations,
            scratch=self._scratch_bytes,
        )

    def _without_large_buffers(self, statement: tirx.Stmt) -> tirx.Stmt:
        return tvm_ffi.structural_map(statement, (tirx.AllocBuffer, self._place))

    def _place(self, statement: tirx.AllocBuffer) -> tirx.Stmt:
        size = _bytes(statement)
        if size < _STACK:
            return statement
        if statement.buffer not in self._scratch:
            self._scratch[statement.buffer] = Argument("scratch", self._scratch_bytes)
            self._scratch_bytes += aligned_bytes(size)
        return tirx.Evaluate(tirx.const(0, "int32"))


def _part(loop: tirx.For, first: tirx.Var, behind: tirx.Var) -> tirx.Stmt:
    serial, dtype = tirx.ForKind.SERIAL, str(loop.extent.ty.dtype)
    first, behind = (bound.astype(dtype) for bound in (first, behind))
    return tirx.For(loop.loop_var, loop.min + first, behind - first, serial, loop.body)


def _serial(statement: tirx.Stmt) -> tirx.Stmt:
    """Loops inside of what threads share are not shared again."""

    def make(loop: tirx.For) -> tirx.Stmt:
        if not _is_parallel(loop):
            return loop
        return tirx.For(loop.loop_var, loop.min, loop.extent, tirx.ForKind.SERIAL, loop.body)

    return tvm_ffi.structural_map(statement, (tirx.For, make))


def _is_parallel(statement: tirx.Stmt) -> bool:
    return isinstance(statement, tirx.For) and statement.kind == tirx.ForKind.PARALLEL


def _bytes(allocated: tirx.AllocBuffer) -> int:
    kind = allocated.buffer.ty
    return tensor_bytes([int(size) for size in kind.shape], str(kind.dtype))
