"""Schedules the operators that have no kernel of ours, so that none runs as naive loops.

Before:  a function whose blocks are plain loop nests, as TVM's legalisation leaves them
After:   the same with injective blocks inlined, the outer spatial loops of every other
         block in parallel and its innermost one vectorised
Requires: static shapes; functions with an "op_pattern" of opaque are left alone.
Ensures: the same results; a function that a step cannot handle keeps its loops.
"""

from __future__ import annotations

from dataclasses import dataclass

import tvm
from tvm import s_tir
from tvm.ir.transform import PassContext
from tvm.tirx import PrimFunc

from tvm_patdnn.cpu_model import CpuModel

__all__ = ["ScheduleFallback"]

OPAQUE = 8
TASKS_PER_CORE = 4  # evens out what other processes take of a core
MIN_PARALLEL = 4096  # loop iterations below which waking a thread costs more than it saves


@tvm.transform.module_pass(opt_level=0, name="ScheduleFallback")
@dataclass(frozen=True, kw_only=True)
class ScheduleFallback:
    """See the module's description.

    Attributes:
        cpu: the CPU that loops are made for.
    """

    cpu: CpuModel

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the scheduled module; ``mod`` is left as it is."""
        mod = mod.clone()
        for var, func in list(mod.functions.items()):
            if isinstance(func, PrimFunc) and int(func.attrs.get("op_pattern", 0)) != OPAQUE:
                mod[var] = self._scheduled(func)
        return mod

    def _scheduled(self, func: PrimFunc) -> PrimFunc:
        try:
            schedule = s_tir.Schedule(tvm.IRModule({"main": func}))
            blocks = _leaf_blocks(schedule)
        except (RuntimeError, ValueError):
            return func  # dynamic or opaque: nothing here that a schedule can hold on to
        for block in blocks[:-1]:
            _try(lambda block=block: schedule.compute_inline(block))
        for block in _leaf_blocks(schedule):
            _try(lambda block=block: self._parallel(schedule, block))
        scheduled = schedule.mod["main"]
        return scheduled.with_attrs({key: func.attrs[key] for key in func.attrs.keys()})  # noqa: SIM118

    def _parallel(self, schedule: s_tir.Schedule, block: object) -> None:
        loops = schedule.get_loops(block)
        kinds = [_is_spatial(schedule, block, i) for i in range(len(loops))]
        spatial = loops[: kinds.index(False)] if False in kinds else loops
        if not spatial:
            return
        extent = 1
        for loop in loops:
            extent *= int(schedule.get(loop).extent)
        fused = schedule.fuse(*spatial) if len(spatial) > 1 else spatial[0]
        count = int(schedule.get(fused).extent)
        if len(spatial) < len(loops):
            if extent >= MIN_PARALLEL:
                schedule.parallel(fused)
            return
        lanes = self.cpu.lanes
        if extent < MIN_PARALLEL:
            if count % lanes == 0 and count > lanes:
                _, inner = schedule.split(fused, [None, lanes])
                schedule.vectorize(inner)
            return
        tasks = self.cpu.num_cores * TASKS_PER_CORE
        outer, middle, inner = schedule.split(fused, [tasks, None, lanes])
        schedule.parallel(outer)
        schedule.vectorize(inner)


def _leaf_blocks(schedule: s_tir.Schedule) -> list[object]:
    root = schedule.get_sblock("root")
    return list(schedule.get_child_blocks(root))


def _is_spatial(schedule: s_tir.Schedule, block: object, position: int) -> bool:
    """Whether the block's iterator at ``position`` is spatial, not a reduction."""
    iterators = schedule.get(block).iter_vars
    return position < len(iterators) and int(iterators[position].iter_type) == 0


def _try(step) -> None:  # type: ignore[no-untyped-def]
    """Runs a scheduling step; a block that it does not apply to stays as it is."""
    try:
        step()
    except (RuntimeError, ValueError):  # a ScheduleError is a RuntimeError
        return
