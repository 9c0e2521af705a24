"""Schedules of TVM's tuner without a search: the first of its space."""

from __future__ import annotations

import json
from typing import Any

from tvm import s_tir

from tvm_patdnn.bench.dense_tuning.apply_tuned_schedules import trace_to_json
from tvm_patdnn.bench.dense_tuning.space import tuning_context, without_intrinsics
from tvm_patdnn.bench.dense_tuning.tuned_convolutions import ConvShape
from tvm_patdnn.machine.targets import resolve_target

__all__ = ["any_schedule", "any_trace"]


def any_schedule(shape: ConvShape) -> s_tir.Schedule:
    """A schedule with all that a tuned one has, such as weights that are laid out anew."""
    with without_intrinsics():
        context = tuning_context(shape, resolve_target())
        schedules = context.generate_design_space()
        for schedule in schedules:
            if all(each.apply(schedule) for each in context.space_generator.postprocs):
                return schedule
    raise AssertionError("TVM finds no schedule")


def any_trace(shape: ConvShape) -> Any:
    """Its trace, as a record's file would give it."""
    return json.loads(json.dumps(trace_to_json(any_schedule(shape).trace)))
