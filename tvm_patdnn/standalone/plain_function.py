"""Gives statements the calling convention of C: pointers and numbers in, 0 out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tvm import tirx
from tvm.ir import PointerType, PrimType, StringImm

from tvm_patdnn.standalone.tensor_bytes import ALIGNMENT

__all__ = ["plain_function"]


def plain_function(
    symbol: str,
    target: Any,
    buffers: Sequence[tirx.Var],
    numbers: Sequence[tirx.Var],
    body: Sequence[tirx.Stmt],
) -> tirx.PrimFunc:
    """Makes ``int symbol(void *buffer, ..., int32_t number, ...)``, which returns 0.

    Args:
        buffers: what ``body`` reads and writes; each is aligned to ``ALIGNMENT`` bytes, and
            overlaps no other that is written.
    """
    pointers = [tirx.Var(each.name, PointerType(each.ty.dtype, "global")) for each in buffers]
    bound = [
        tirx.DeclBuffer(buffer, data=pointer)
        for buffer, pointer in zip(buffers, pointers, strict=True)
    ]
    # LLVM makes a function of this scope, whose pointers are known to be as promised above.
    zero = tirx.const(0, "int32")
    scope = tirx.AttrStmt(zero, "compute_scope", StringImm(f"{symbol}_body"), _sequence(body))
    whole: tirx.Stmt = tirx.SeqStmt([*bound, scope, tirx.Return(zero)])
    for each in buffers:
        alignment = tirx.const(ALIGNMENT, "int32")
        whole = tirx.AttrStmt(each, "storage_alignment", alignment, whole)
    plain = tirx.PrimFunc([*pointers, *numbers], whole, PrimType("int32"))
    return plain.with_attrs({"global_symbol": symbol, "target": target, "tirx.noalias": True})


def _sequence(statements: Sequence[tirx.Stmt]) -> tirx.Stmt:
    return statements[0] if len(statements) == 1 else tirx.SeqStmt(list(statements))
