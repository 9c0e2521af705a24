"""Gives the functions of tuned convolutions the schedules that were found for them.

Before:  a convolution with channels last and its epilogue, as plain loops
After:   the same scheduled, its small buffers compact, and its weight read from a constant
         that is laid out as the schedule reads it
Requires: fused functions (FuseTIR); the target is the current one.
Ensures: the same results up to rounding; a function of no tuned convolution stays as it is,
         one that got a schedule has the attribute "tirx.is_scheduled".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import tvm
from tvm import relax, s_tir
from tvm.ir.transform import PassContext
from tvm.s_tir import Trace
from tvm.tirx import FloatImm, IndexMap, IntImm, PrimFunc

from relay_passes.schedule_fallback import is_scheduled
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import (
    ConvShape,
    TunedConvolutions,
    tuned_function,
)

__all__ = ["ApplyTunedSchedules", "scheduled", "trace_to_json"]

_INDEX_MAP = "index_map"


@tvm.transform.module_pass(opt_level=0, name="ApplyTunedSchedules")
@dataclass(frozen=True, kw_only=True)
class ApplyTunedSchedules:
    """See the module's description.

    Attributes:
        tuned: traces of the convolutions that were tuned.
    """

    tuned: TunedConvolutions

    def transform_module(self, mod: tvm.IRModule, _: PassContext) -> tvm.IRModule:
        """Returns the scheduled module; ``mod`` is left as it is."""
        if not self.tuned:
            return mod
        mod = mod.clone()
        with _database(self.tuned):
            for var, func in list(mod.functions.items()):
                if isinstance(func, PrimFunc):
                    mod[var] = _as_tuned(var, func)
        mod = _with_constant_layouts(mod)
        for var, func in list(mod.functions.items()):
            if is_scheduled(func):
                mod[var] = _compact(func)
        return mod


def scheduled(shape: ConvShape, trace: Any) -> s_tir.Schedule:
    """Replays a trace.

    Args:
        shape: what it was found for.
        trace: as ``trace_to_json`` wrote it.

    Raises:
        RuntimeError: it does not fit the function that this TVM makes.
    """
    func = tuned_function(shape).with_attr("global_symbol", "main")
    schedule = s_tir.Schedule(tvm.IRModule({"main": func}))
    Trace.apply_json_to_schedule(_from_json(trace), schedule)
    return schedule


def trace_to_json(trace: Trace) -> Any:
    """Returns a trace as JSON; TVM's own function leaves objects in it."""
    return _to_json(trace.simplified(False).as_json())


def _database(tuned: TunedConvolutions) -> Any:
    from tvm.s_tir import meta_schedule  # here: only this needs it, and it takes a while

    # By the convolution alone, so that another epilogue finds its schedule too.
    database = meta_schedule.database.MemoryDatabase(module_equality="anchor-block")
    for shape, trace in tuned.items():
        func = tuned_function(shape).with_attr("global_symbol", "main")
        workload = database.commit_workload(tvm.IRModule({"main": func}))
        record = meta_schedule.database.TuningRecord(
            scheduled(shape, trace).trace, workload, [1.0], tvm.target.Target.current(), None
        )
        database.commit_tuning_record(record)
    return database


def _as_tuned(var: tvm.ir.GlobalVar, func: PrimFunc) -> PrimFunc:
    """Schedules a function if the database in use knows its convolution."""
    apply = relax.transform.MetaScheduleApplyDatabase()
    try:
        return apply(tvm.IRModule({var: func}))[var]
    except RuntimeError:  # a ScheduleError: the trace does not fit this epilogue
        return func


def _with_constant_layouts(mod: tvm.IRModule) -> tvm.IRModule:
    """Lays weights out at compile time; what else there is, that pass cannot read."""
    mod = mod.clone()
    others = {
        var: func
        for var, func in mod.functions.items()
        if isinstance(func, PrimFunc) and not is_scheduled(func)
    }
    for var in others:
        del mod[var]
    mod = relax.transform.SplitLayoutRewritePreproc()(mod).clone()
    for var, func in others.items():
        mod[var] = func
    return _sequence(relax.transform.FoldConstant(), relax.transform.DeadCodeElimination())(mod)


def _compact(func: PrimFunc) -> PrimFunc:
    """Shrinks each buffer to what is alive of it, which our own lowering leaves out."""
    mod = _sequence(
        s_tir.transform.LowerInitBlock(),
        s_tir.transform.PlanAndUpdateBufferAllocationLocation(),
        s_tir.transform.ConvertBlocksToOpaque(),
        s_tir.transform.CompactBufferAllocation(),
    )(tvm.IRModule({"main": func}))
    return mod["main"]


def _sequence(*passes: tvm.transform.Pass) -> tvm.transform.Pass:
    return tvm.transform.Sequential(list(passes))


def _to_json(value: Any) -> Any:
    if isinstance(value, IndexMap):
        return {_INDEX_MAP: json.loads(tvm.ir.save_json(value))}
    if isinstance(value, IntImm | FloatImm):
        return value.value
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, int | float):
        return value
    return [_to_json(each) for each in value]


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        return tvm.ir.load_json(json.dumps(value[_INDEX_MAP]))
    return [_from_json(each) for each in value] if isinstance(value, list) else value
