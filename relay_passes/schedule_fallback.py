"""Schedules the operators that have no kernel of ours, so that none runs as naive loops.

Before:  a function whose blocks are plain loop nests, as TVM's legalisation leaves them
After:   the same with chains of element-wise blocks inlined, work shared by the cores, and
         reductions summed in vectors: of neighbouring results, else of partial sums
Requires: static shapes; functions with an "op_pattern" of opaque are left alone.
Ensures: the same results, up to the order of sums; what a step cannot handle keeps its
         loops, which LLVM still vectorises where it can.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tvm
from tvm import s_tir
from tvm.ir.transform import PassContext
from tvm.tirx import PrimFunc

from tvm_patdnn.cpu_model import CpuModel

__all__ = ["ScheduleFallback"]

OPAQUE = 8
TASKS_PER_CORE = 4  # evens out what other processes take of a core
MIN_PARALLEL = 8192  # loop iterations below which waking a thread costs more than it saves
VECTORS = 4  # neighbouring results that are summed at once: they hide the latency of a sum

Block = Any
Loop = Any


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
                mod[var] = _scheduled(func, self.cpu)
        return mod


def _scheduled(func: PrimFunc, cpu: CpuModel) -> PrimFunc:
    try:
        schedule = s_tir.Schedule(tvm.IRModule({"main": func}))
        blocks = _leaf_blocks(schedule)
    except (RuntimeError, ValueError):
        return func  # dynamic or opaque: nothing here that a schedule can hold on to
    for block in blocks[:-1]:
        if _is_worth_inlining(schedule, block):
            _try(schedule, lambda s, block=block: s.compute_inline(block))
    for block in _leaf_blocks(schedule):
        nest = _Nest(schedule, block, cpu)
        _try(schedule, nest.share if nest.is_spatial else nest.reduce)
    scheduled = schedule.mod["main"]
    return scheduled.with_attrs({key: func.attrs[key] for key in func.attrs.keys()})  # noqa: SIM118


class _Nest:
    """The loops around one block."""

    def __init__(self, schedule: s_tir.Schedule, block: Block, cpu: CpuModel) -> None:
        self.block, self.cpu = block, cpu
        self.loops = list(schedule.get_loops(block))
        self.extents = [int(schedule.get(loop).extent) for loop in self.loops]
        kinds = [int(var.iter_type) == 0 for var in schedule.get(block).iter_vars]
        self.spatial = kinds.index(False) if False in kinds else len(kinds)
        self.is_spatial = self.spatial == len(kinds)
        self.tasks = cpu.num_cores * TASKS_PER_CORE

    def share(self, schedule: s_tir.Schedule) -> None:
        """Shares an element-wise block among the cores, in runs that LLVM vectorises."""
        total = math.prod(self.extents)
        if total >= MIN_PARALLEL:
            fused = schedule.fuse(*self.loops)
            count = max(_divisors(total, 2 * self.tasks), default=1)
            outer, _ = schedule.split(fused, [count if count > 1 else self.tasks, None])
            schedule.parallel(outer)

    def reduce(self, schedule: s_tir.Schedule) -> None:
        """Sums in vectors; before it, the reduction loops follow all the others."""
        width = self.extents[self.spatial - 1] if self.spatial else 1
        if width >= self.cpu.lanes // 2:
            self._sum_neighbours(schedule, width)
        elif math.prod(self.extents[self.spatial :]) % self.cpu.lanes == 0:
            self._sum_partially(schedule)
        else:
            self._parallel(schedule, self.loops[: self.spatial])

    def _sum_neighbours(self, schedule: s_tir.Schedule, width: int) -> None:
        """Computes the sums of neighbouring results at once, in registers."""
        tile = max(_divisors(width, VECTORS * self.cpu.lanes), key=self._filled)
        outer, inner = schedule.split(self.loops[self.spatial - 1], [None, tile])
        reduction = self.loops[self.spatial :]
        schedule.reorder(*reduction, inner)
        schedule.vectorize(inner)
        self._parallel(schedule, [*self.loops[: self.spatial - 1], outer])
        init = schedule.decompose_reduction(self.block, reduction[0])
        schedule.vectorize(schedule.get_loops(init)[-1])

    def _filled(self, tile: int) -> tuple[float, int]:
        """The share of the vectors' lanes that a tile fills, then its size."""
        lanes = self.cpu.lanes
        return (tile / (-(-tile // lanes) * lanes), tile)

    def _sum_partially(self, schedule: s_tir.Schedule) -> None:
        """Sums each lane apart, then the lanes."""
        loops = self.loops[self.spatial :]
        fused = schedule.fuse(*loops) if len(loops) > 1 else loops[0]
        _, lane = schedule.split(fused, [None, self.cpu.lanes])
        partial = schedule.rfactor(lane, self.spatial)
        *shared, lane, along = schedule.get_loops(partial)
        schedule.reorder(along, lane)
        schedule.vectorize(lane)
        self._parallel(schedule, shared)
        init = schedule.decompose_reduction(partial, along)
        schedule.vectorize(schedule.get_loops(init)[-1])

    def _parallel(self, schedule: s_tir.Schedule, loops: list[Loop]) -> None:
        if loops and math.prod(self.extents) >= MIN_PARALLEL:
            schedule.parallel(schedule.fuse(*loops) if len(loops) > 1 else loops[0])


def _divisors(total: int, limit: int) -> list[int]:
    return [n for n in range(1, min(total, limit) + 1) if total % n == 0]


def _leaf_blocks(schedule: s_tir.Schedule) -> list[Block]:
    root = schedule.get_sblock("root")
    return list(schedule.get_child_blocks(root))


def _is_worth_inlining(schedule: s_tir.Schedule, block: Block) -> bool:
    """Whether nothing is computed more often: the one reader reads each value once."""
    readers = list(schedule.get_consumers(block))
    if len(readers) != 1:
        return False
    return all(int(var.iter_type) == 0 for var in schedule.get(readers[0]).iter_vars)


def _try(schedule: s_tir.Schedule, step: Callable[[s_tir.Schedule], None]) -> None:
    """Runs a scheduling step; a block that it does not apply to stays as it is."""
    try:
        step(schedule)
    except (RuntimeError, ValueError) as e:  # a ScheduleError is a RuntimeError
        import os
        if os.environ.get('FBDBG'): print('TRY',str(e)[-600:])
        return
