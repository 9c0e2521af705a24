"""TVM as it comes: the default pipeline, which schedules nothing on a CPU."""

from __future__ import annotations

from tvm_patdnn.bench.system import Job, Prepared, System
from tvm_patdnn.bench.systems.tvm_library import (
    PACKAGES,
    REQUIREMENTS,
    RUNTIME_ONLY,
    import_runtime,
    load_library,
)

__all__ = ["SYSTEM"]


def _prepare(job: Job) -> Prepared:
    import tvm

    from tvm_patdnn.importing.importer import import_onnx
    from tvm_patdnn.library.cross_compile import export_compiler
    from tvm_patdnn.machine.targets import resolve_target

    target = resolve_target(None)
    path = job.folder / "model.so"
    executable = tvm.compile(import_onnx(job.model).module, target=target)
    executable.export_library(str(path), fcompile=export_compiler(target))
    return Prepared(path=path)


SYSTEM = System(
    name="tvm-untuned",
    packages=PACKAGES,
    imports=import_runtime,
    requirements=REQUIREMENTS,
    prepare=_prepare,
    load=load_library,
    environment=RUNTIME_ONLY,
)
