"""The space of schedules that TVM's MetaSchedule searches for a dense convolution.

It is TVM's own for CPUs: tiles on several levels, vectors, unrolling, weights laid out anew.
What it has besides for some CPUs are intrinsics for integers, which are of no use here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import tvm

from tvm_patdnn.bench.dense_tuning.tuned_convolutions import ConvShape, tuned_function

__all__ = ["tuning_context", "without_intrinsics"]

_INTRINSICS = "tvm.s_tir.tensor_intrin"


def tuning_context(
    shape: ConvShape, target: tvm.target.Target, strategy: Any = "evolutionary", workers: int = 1
) -> Any:
    """Returns TVM's context of one task; make and use it ``without_intrinsics``.

    Args:
        shape: the convolution.
        target: the CPU.
        strategy: of the search.
        workers: threads of the search.
    """
    from tvm.s_tir import meta_schedule

    return meta_schedule.TuneContext(
        tuned_function(shape),
        target=target,
        space_generator=meta_schedule.space_generator.PostOrderApply(
            sch_rules=meta_schedule.ScheduleRule.create("llvm"),
            postprocs=meta_schedule.Postproc.create("llvm"),
            mutator_probs=meta_schedule.Mutator.create("llvm"),
        ),
        search_strategy=strategy,
        num_threads=workers,
        rand_state=1,
    )


@contextmanager
def without_intrinsics() -> Iterator[None]:
    """Spares the import of TVM's intrinsics, which takes 20 s."""
    if _INTRINSICS in sys.modules:
        yield
        return
    sys.modules[_INTRINSICS] = ModuleType(_INTRINSICS)
    try:
        yield
    finally:
        del sys.modules[_INTRINSICS]
