"""The rungs of the ladder: the pruned model, built with more and more of what we do to it."""

from __future__ import annotations

from functools import partial

from tvm_patdnn.bench.system import Job, Prepared, System
from tvm_patdnn.bench.systems.patdnn import build_library
from tvm_patdnn.bench.systems.tvm_library import (
    PACKAGES,
    REQUIREMENTS,
    RUNTIME_ONLY,
    import_runtime,
    load_library,
)

__all__ = ["DENSE_RUNG", "KERNELS_OF_RUNGS", "RUNGS", "TOP_RUNG"]

_OFF = {"reorder": False, "share_loads": False, "tune": False}


def _rung(name: str, *, ours: bool = False, **switches: bool) -> System:
    return System(
        name=name,
        packages=PACKAGES,
        imports=import_runtime,
        requirements=("tvm-patdnn", *REQUIREMENTS),
        prepare=partial(_prepare, switches),
        load=load_library,
        pruned=True,
        ours=ours,
        environment=RUNTIME_ONLY,
    )


def _prepare(switches: dict[str, bool], job: Job) -> Prepared:
    return build_library(job, **switches)


DENSE_RUNG = _rung("dense", sparse=False)  # zeros are numbers
TOP_RUNG = _rung("+tune", ours=True)  # the schedule is chosen, by records or the cost model
_NO_OPT_RUNG = _rung("no-opt", **_OFF)  # patterns, in plain loops
RUNGS = (
    DENSE_RUNG,
    _rung("csr", patterns=False, **_OFF),  # each kept weight by itself
    _NO_OPT_RUNG,
    _rung("+reorder", **{**_OFF, "reorder": True}),  # filters and kernels
    _rung("+LRE", tune=False),  # loads are shared between taps and filters
    TOP_RUNG,
)
# Kernels of the table that only a rung has; the others are in ``kernel_layers``.
KERNELS_OF_RUNGS = {"generic sparse conv2d": _NO_OPT_RUNG}
