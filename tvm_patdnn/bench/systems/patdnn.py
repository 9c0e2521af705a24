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


def build_library(job: Job, *, sparse: bool) -> Prepared:
    """Builds a library for this machine and its ``job.threads`` threads."""
    from tvm_patdnn.builder import build
    from tvm_patdnn.host_cpu import host_config

    library = build(job.model, {**host_config(), "num-cores": job.threads}, sparse=sparse)
    path = job.folder / "model.so"
    library.export_library(path)
    layers = [asdict(layer) for layer in library.report]
    return Prepared(path=path, facts={"layers": layers, "target": library.metadata.target})


SYSTEM = System(
    name="tvm-patdnn",
    packages=PACKAGES,
    imports=import_runtime,
    requirements=("tvm-patdnn", *REQUIREMENTS),
    prepare=lambda job: build_library(job, sparse=True),
    load=load_library,
    pruned=True,
    environment=RUNTIME_ONLY,
)
