"""Ours, with the pruned model."""

from __future__ import annotations

from dataclasses import asdict

from tvm_patdnn.bench.system import Job, Prepared, System
from tvm_patdnn.bench.systems.tvm_library import (
    PACKAGES,
    REQUIREMENTS,
    RUNTIME_ONLY,
    import_runtime,
    load_library,
)

__all__ = ["SYSTEM", "build_library"]


def build_library(job: Job, **switches: bool) -> Prepared:
    """Builds a library for this machine and its ``job.threads`` threads.

    Args:
        job: what to build.
        switches: of ``Optimizations``.
    """
    from tvm_patdnn.builder import build
    from tvm_patdnn.machine.host_cpu import host_config
    from tvm_patdnn.optimizations import Optimizations

    target = {**host_config(), "num-cores": job.threads}
    library = build(job.model, target, optimizations=Optimizations(**switches))
    path = job.folder / "model.so"
    library.export_library(path)
    layers = [asdict(layer) for layer in library.report]
    return Prepared(path=path, facts={"layers": layers, "target": library.metadata.target})


SYSTEM = System(
    name="tvm-patdnn",
    packages=PACKAGES,
    imports=import_runtime,
    requirements=("tvm-patdnn", *REQUIREMENTS),
    prepare=build_library,
    load=load_library,
    pruned=True,
    ours=True,
    environment=RUNTIME_ONLY,
)
