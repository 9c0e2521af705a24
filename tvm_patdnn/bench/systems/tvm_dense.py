"""The same TVM without pruning: for each convolution the faster of TVM's tuner and ours.

Which one that is, records of both say (see ``dense_tuning``). What a change of layout between
neighbours costs, no record tells; so a library of our dense kernels alone is built too, and
the faster of the two is the baseline.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

from tvm_patdnn.bench.system import Inputs, Job, Loaded, Prepared, System
from tvm_patdnn.bench.systems.tvm_library import (
    PACKAGES,
    REQUIREMENTS,
    RUNTIME_ONLY,
    import_runtime,
    load_library,
)

__all__ = ["SYSTEM"]

_FACTS = "metaschedule.json"  # in the job's folder
_ROUNDS, _RUNS = 5, 3


def _prepare(job: Job) -> Prepared:
    from tvm_patdnn.bench.dense_tuning.records import read_dense_records, shipped_folder
    from tvm_patdnn.bench.dense_tuning.selection import select_records
    from tvm_patdnn.machine.host_cpu import host_cpu

    selection = select_records(read_dense_records(shipped_folder()), host_cpu(), job.threads)
    used = _shapes(job) if selection.tuned else []
    tuned = {shape: selection.tuned[shape] for shape in used if shape in selection.tuned}
    libraries = [_build(job, way) for way in ([{}, tuned] if tuned else [{}])]
    chosen = _fastest(job, libraries)
    path = job.folder / "model.so"
    libraries[chosen].export_library(path)
    layers = [asdict(layer) for layer in libraries[chosen].report]
    facts = {
        **selection.facts(),
        "records_from": "autotune_logs/dense",
        "convolutions": len(libraries[0].report),
        "tuned_convolutions": len(libraries[0].report) - len(layers),
        "slower_in_the_network": bool(tuned) and not chosen,
    }
    (job.folder / _FACTS).write_text(json.dumps(facts))
    return Prepared(path=path, facts={"layers": layers})


def _shapes(job: Job) -> list[Any]:
    from tvm_patdnn.bench.dense_tuning.tasks import conv_shapes

    return conv_shapes(job.model)


def _build(job: Job, tuned: Any) -> Any:
    from tvm_patdnn.bench.dense_tuning.extension import tuned_extension
    from tvm_patdnn.builder import build_requested
    from tvm_patdnn.compilation import Request
    from tvm_patdnn.machine.host_cpu import host_config
    from tvm_patdnn.optimizations import Optimizations

    target = {**host_config(), "num-cores": job.threads}
    request = Request(
        onnx_model=job.model,
        target=target,
        optimizations=Optimizations(sparse=False),
        extension=tuned_extension(tuned),
    )
    return build_requested(request)


def _fastest(job: Job, libraries: list[Any]) -> int:
    """Returns the number of the fastest library, timed in turns."""
    import onnx

    from tvm_patdnn.bench.reference import make_inputs

    if len(libraries) == 1:
        return 0
    inputs = make_inputs(onnx.load(job.model))
    seconds: list[list[float]] = [[] for _ in libraries]
    for _ in range(_ROUNDS):
        for spent, library in zip(seconds, libraries, strict=True):
            spent += library.runnable.time(inputs, _RUNS)
    return min(range(len(libraries)), key=lambda number: median(seconds[number]))


def _load(path: Path, job: Job, inputs: Inputs) -> Loaded:
    facts = json.loads((job.folder / _FACTS).read_text())
    return replace(
        load_library(path, job, inputs), facts={"metaschedule": facts, "variant": _variant(facts)}
    )


def _variant(facts: dict[str, Any]) -> str:
    if not facts["records"]:
        return "no MetaSchedule records for this machine"
    if facts["slower_in_the_network"]:
        return "MetaSchedule slower in the network"
    return f"MetaSchedule for {facts['tuned_convolutions']} of {facts['convolutions']} convolutions"


SYSTEM = System(
    name="tvm-dense",
    packages=PACKAGES,
    imports=import_runtime,
    requirements=("tvm-patdnn", *REQUIREMENTS),
    prepare=_prepare,
    load=_load,
    environment=RUNTIME_ONLY,
)
