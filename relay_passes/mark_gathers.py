"""Lets TVM fuse and schedule gathers like other operators that move data.

Before:  take(x, indices), marked as opaque: no fusion, and loops on one core
After:   the same, marked as injective, which it is: each result is one value that is read
Requires: functions with patterns (AnnotateTIROpPattern).
Ensures: only functions are marked all of whose blocks map each place of their output to one
         place of a computation; kernels of ours, scans and sorts stay opaque.
"""

from __future__ import annotations

from dataclasses import dataclass

import tvm
from tvm import s_tir
from tvm.ir.transform import PassContext
from tvm.tirx import PrimFunc

__all__ = ["MarkGathers"]

INJECTIVE, OPAQUE = 2, 8  # TVM's kinds of operators
_GATHER = "take"  # as TVM's legalisation names it


@tvm.transform.module_pass(opt_level=0, name="MarkGathers")
@dataclass(frozen=True)
class MarkGathers:
    """See the module's description."""

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the marked module; ``mod`` is left as it is."""
        mod = mod.clone()
        for var, func in list(mod.functions.items()):
            if isinstance(func, PrimFunc) and var.name_hint.startswith(_GATHER) and _maps(func):
                mod[var] = func.with_attr("op_pattern", INJECTIVE)
        return mod


def _maps(func: PrimFunc) -> bool:
    """Whether an opaque function has blocks of data-parallel loops only."""
    if int(func.attrs.get("op_pattern", 0)) != OPAQUE:
        return False
    schedule = s_tir.Schedule(tvm.IRModule({"main": func}))
    blocks = schedule.get_child_blocks(schedule.get_sblock("root"))
    kinds = [int(var.iter_type) for block in blocks for var in schedule.get(block).iter_vars]
    return bool(kinds) and set(kinds) == {0}
