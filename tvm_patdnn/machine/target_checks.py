"""Finds mistakes in a CPU target that LLVM would answer with a crash or a guess."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import tvm_ffi
from tvm.target import Target, codegen

from tvm_patdnn.errors import TargetError
from tvm_patdnn.machine.triples import architecture

__all__ = ["check_architecture", "check_cpu", "close_names"]

_COMMON_TRIPLES = ("aarch64-linux-gnu", "x86_64-linux-gnu", "armv7l-linux-gnueabihf")


def check_architecture(triple: str) -> None:
    """Checks that LLVM has the triple's architecture.

    LLVM ends the process when it is asked about one that it does not have.

    Raises:
        TargetError: it does not.
    """
    known = [str(name) for name in codegen.llvm_get_targets()]
    if architecture(triple) in known:
        return
    raise TargetError(
        f"target: unknown architecture '{triple.split('-')[0]}' in the triple '{triple}'; "
        f"expected one of LLVM's: {', '.join(known)}"
    )


def check_cpu(cpu: str, triple: str) -> None:
    """Checks that the CPU is one of the triple's architecture.

    LLVM compiles for a generic CPU otherwise, several times slower than it could be.

    Raises:
        TargetError: it is not; close names, or the triple it belongs to, are proposed.
    """
    if _is_valid(cpu, triple):
        return
    raise TargetError(
        f"target: unknown CPU '{cpu}' for the triple '{triple}'; {_advice(cpu, triple)}"
    )


def close_names(name: str, known: Iterable[str]) -> str:
    """Proposes known names that look like ``name``, or nothing."""
    close = difflib.get_close_matches(name.lower(), list(known), n=3)
    return f"did you mean {' or '.join(map(repr, close))}? " if close else ""


def _is_valid(cpu: str, triple: str) -> bool:
    return bool(tvm_ffi.get_global_func("target.llvm_is_valid_cpu")(cpu, triple))


def _advice(cpu: str, triple: str) -> str:
    for other in _COMMON_TRIPLES:
        if _is_valid(cpu, other):
            return f"it is one of {architecture(other)}: add -mtriple={other}"
    cpus = codegen.llvm_get_cpu_archlist(Target({"kind": "llvm", "mtriple": triple}))
    proposed = close_names(cpu, (str(name) for name in cpus))
    return f"{proposed}expected LLVM's name of a CPU of {architecture(triple)}, or 'generic'"
