"""Schedules the operators that we have no kernel for, so that none runs as naive loops.

Before:  a function whose blocks are plain loop nests, as TVM's legalisation leaves them
After:   the same with chains of element-wise blocks inlined, work shared by the cores, and
         reductions summed in vectors: of neighbouring results, else of partial sums
Requires: static shapes; functions with an "op_pattern" of opaque are left alone, and so are
          those that are scheduled already.
Ensures: the same results, up to the order of sums; what a step cannot handle keeps its
         loops, which LLVM still vectorises where it can.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import tvm
import tvm_ffi
from tvm import s_tir, sym, tirx
from tvm.ir import TensorLoad
from tvm.ir.transform import PassContext
from tvm.tirx import PrimFunc

from tvm_patdnn.machine.cpu_model import CpuModel

__all__ = ["SCHEDULED", "ScheduleFallback", "is_scheduled"]

SCHEDULED = "tirx.is_scheduled"  # an attribute of functions that have a schedule

OPAQUE = 8
TASKS_PER_CORE = 4  # evens out what other processes take of a core
MIN_PARALLEL = 8192  # loop iterations below which waking a thread costs more than it saves
MOVED_LANES = 16  # of a vector that is gathered; any more would only lengthen the code
VECTORS = 4  # neighbouring results that are summed at once: they hide the latency of a sum

_WRAPPED = (tirx.FloorMod, tirx.FloorDiv, tirx.Mod, tirx.Div)

Block = Any
Loop = Any


def is_scheduled(func: tvm.ir.BaseFunc) -> bool:
    """Whether a function has a schedule already, which others are to leave alone."""
    return isinstance(func, PrimFunc) and bool(func.attrs.get(SCHEDULED, False))


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
            if not isinstance(func, PrimFunc) or is_scheduled(func):
                continue
            if int(func.attrs.get("op_pattern", 0)) != OPAQUE:
                mod[var] = _scheduled(func, self.cpu)
        return mod


def _scheduled(func: PrimFunc, cpu: CpuModel) -> PrimFunc:
    try:
        schedule = s_tir.Schedule(tvm.IRModule({"main": func}))
        blocks = _leaf_blocks(schedule)
    except (RuntimeError, ValueError):
        return func  # opaque: nothing here that a schedule can hold on to
    if not all(_is_static(schedule, block) for block in blocks):
        return func
    for block in blocks[:-1]:
        if _is_worth_inlining(schedule, block):
            _try(schedule, partial(s_tir.Schedule.compute_inline, block=block))
    for block in _leaf_blocks(schedule):
        nest = _Nest(schedule, block, cpu)
        if nest.is_spatial:
            _try(schedule, nest.move)
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

    def move(self, schedule: s_tir.Schedule) -> None:
        """Makes vectors of the innermost loop, where LLVM would do it wrong.

        LLVM takes the stride of an index such as (i & 3) * 4 for that of i * 4, and reads
        beyond the end. It leaves loops alone that hold vectors already.
        """
        if not _wraps_around(schedule.get(self.block)):
            return
        inner = max((i for i, extent in enumerate(self.extents) if extent > 1), default=None)
        if inner is None:
            return
        extent = self.extents[inner]
        lanes = max(_divisors(extent, MOVED_LANES))
        if lanes == 1:
            lanes = next(n for n in range(2, extent + 1) if extent % n == 0)
        outer, lane = schedule.split(self.loops[inner], [None, lanes])
        schedule.vectorize(lane)
        self.loops[inner], self.extents[inner] = outer, extent // lanes

    def share(self, schedule: s_tir.Schedule) -> None:
        """Shares an element-wise block among the cores; LLVM vectorises the inner loops."""
        if math.prod(self.extents) < MIN_PARALLEL:
            return
        outer = next((i for i in range(len(self.loops)) if self._is_enough(i)), 0)
        if outer:
            self._parallel(schedule, self.loops[:outer])
            return
        count = max(_divisors(self.extents[0], 2 * self.tasks))
        first, _ = schedule.split(self.loops[0], [count if count > 1 else self.tasks, None])
        schedule.parallel(first)

    def _is_enough(self, outer: int) -> bool:
        return math.prod(self.extents[:outer]) >= self.tasks

    def reduce(self, schedule: s_tir.Schedule) -> None:
        """Sums in vectors; before it, the reduction loops follow all the others."""
        tile = self._tile()
        if tile > self.cpu.lanes // 2 and self._reads_neighbours(schedule):
            self._sum_neighbours(schedule, tile)
        elif math.prod(self.extents[self.spatial :]) % self.cpu.lanes == 0:
            self._sum_partially(schedule)
        else:
            self._parallel(schedule, self.loops[: self.spatial])

    def _tile(self) -> int:
        """How many neighbouring results to sum at once: as many as fill whole vectors best."""
        width, lanes = self.extents[self.spatial - 1] if self.spatial else 1, self.cpu.lanes
        sizes = _divisors(width, VECTORS * lanes)
        return max(sizes, key=lambda size: (size / (-(-size // lanes) * lanes), size))

    def _reads_neighbours(self, schedule: s_tir.Schedule) -> bool:
        """Whether neighbouring results read the same or neighbouring values, not all the same."""
        block = schedule.get(self.block)
        last = block.iter_vars[self.spatial - 1].var
        starts = [region.region[-1].min for region in block.reads if len(region.region)]
        strides = {_stride(start, last) for start in starts}
        return 1 in strides and strides <= {0, 1}

    def _sum_neighbours(self, schedule: s_tir.Schedule, tile: int) -> None:
        """Computes the sums of ``tile`` neighbouring results at once, in registers."""
        outer, inner = schedule.split(self.loops[self.spatial - 1], [None, tile])
        reduction = self.loops[self.spatial :]
        schedule.reorder(*reduction, inner)
        schedule.vectorize(inner)
        self._parallel(schedule, [*self.loops[: self.spatial - 1], outer])
        init = schedule.decompose_reduction(self.block, reduction[0])
        schedule.vectorize(schedule.get_loops(init)[-1])

    def _sum_partially(self, schedule: s_tir.Schedule) -> None:
        """Sums each lane apart, then the lanes."""
        loops = self.loops[self.spatial :]
        fused = schedule.fuse(*loops) if len(loops) > 1 else loops[0]
        _, lane = schedule.split(fused, [None, self.cpu.lanes])
        partial = schedule.rfactor(lane, self.spatial)
        *shared, along, lane = schedule.get_loops(partial)
        schedule.vectorize(lane)
        self._parallel(schedule, shared)
        init = schedule.decompose_reduction(partial, along)
        schedule.vectorize(schedule.get_loops(init)[-1])

    def _parallel(self, schedule: s_tir.Schedule, loops: list[Loop]) -> None:
        if loops and math.prod(self.extents) >= MIN_PARALLEL:
            schedule.parallel(schedule.fuse(*loops) if len(loops) > 1 else loops[0])


def _wraps_around(block: s_tir.SBlock) -> bool:
    """Whether an index of what the block reads is a remainder, or a quotient."""
    wrapped: list[Any] = []
    _walk(block.body, TensorLoad, lambda load: _walk(load.indices, _WRAPPED, wrapped.append))
    return bool(wrapped)


def _walk(root: Any, kinds: Any, visit: Callable[[Any], None]) -> None:
    tvm_ffi.structural_walk(root, (kinds, visit))


def _divisors(total: int, limit: int) -> list[int]:
    return [n for n in range(1, min(total, limit) + 1) if total % n == 0]


def _stride(index: tirx.Expr, var: tirx.Var) -> int | None:
    """Returns by how much ``index`` grows with ``var``; None where that varies."""
    parts = list(sym.detect_linear_equation(index, [var]))
    return int(parts[0]) if parts and isinstance(parts[0], tirx.IntImm) else None


def _leaf_blocks(schedule: s_tir.Schedule) -> list[Block]:
    root = schedule.get_sblock("root")
    return list(schedule.get_child_blocks(root))


def _is_static(schedule: s_tir.Schedule, block: Block) -> bool:
    extents = [schedule.get(loop).extent for loop in schedule.get_loops(block)]
    return all(isinstance(extent, tirx.IntImm) for extent in extents)


def _is_worth_inlining(schedule: s_tir.Schedule, block: Block) -> bool:
    """Whether nothing is computed more often: the one reader reads each value once."""
    readers = list(schedule.get_consumers(block))
    both = [block, *readers]
    kinds = {int(var.iter_type) for each in both for var in schedule.get(each).iter_vars}
    return len(readers) == 1 and kinds == {0}


def _try(schedule: s_tir.Schedule, step: Callable[[s_tir.Schedule], None]) -> None:
    """Runs a scheduling step; a block that it does not apply to stays as it is."""
    try:
        step(schedule)
    except (RuntimeError, ValueError):  # a ScheduleError is a RuntimeError
        return
