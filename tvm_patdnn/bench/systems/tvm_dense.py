"""The same TVM without pruning: the dense model, with our dense schedules.

Records of other tuners for the dense layers, such as MetaSchedule's, belong here: ``prepare``
is the one place that decides how the baseline is built.
"""

from __future__ import annotations

from tvm_patdnn.bench.system import System
from tvm_patdnn.bench.systems.patdnn import build_library
from tvm_patdnn.bench.systems.tvm_library import (
    PACKAGES,
    REQUIREMENTS,
    RUNTIME_ONLY,
    import_runtime,
    load_library,
)

__all__ = ["SYSTEM"]

SYSTEM = System(
    name="tvm-dense",
    packages=PACKAGES,
    imports=import_runtime,
    requirements=("tvm-patdnn", *REQUIREMENTS),
    prepare=lambda job: build_library(job, sparse=False),
    load=load_library,
    environment=RUNTIME_ONLY,
)
