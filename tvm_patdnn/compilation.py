"""What building and inspecting a model begin with: the model, the target, the options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tvm

from relay_passes.pipeline import Extension, PipelineOptions
from tvm_patdnn.errors import BuildError
from tvm_patdnn.importing.importer import ImportedModel, import_onnx
from tvm_patdnn.importing.onnx_file import ModelSource
from tvm_patdnn.importing.onnx_shapes import InputShapes
from tvm_patdnn.interruption import let_interruptions_through
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.machine.targets import TargetLike, host_of, is_gpu, resolve_target
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.record_files import read_records

__all__ = ["STORAGES", "Compilation", "Request"]

STORAGES = ("float32", "float16")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
        onnx_model: a path, the bytes of a file, or a ModelProto.
        target, input_shapes, logs, optimizations, dump, storage: see ``build``.
        extension: what the caller adds to the passes.
    """

    onnx_model: ModelSource
    target: TargetLike = None
    input_shapes: InputShapes | None = None
    logs: str | Path | None = None
    optimizations: Optimizations | None = None
    extension: Extension | None = None
    dump: str | Path | None = None
    storage: str = "float32"


@dataclass(frozen=True, kw_only=True)
class Compilation:
    """What the passes take."""

    model: ImportedModel
    target: tvm.target.Target
    options: PipelineOptions

    @classmethod
    def of(cls, request: Request, progress: Callable[[str], None]) -> Compilation:
        """Resolves the target, reads the records and imports the model.

        Raises:
            ModelError, TargetError, TuningError, BuildError: see ``build``.
        """
        let_interruptions_through()
        target = resolve_target(request.target)
        host = host_of(target)
        cpu = CpuModel.from_target(host)
        gpu = GpuModel.from_target(target) if is_gpu(target) else None
        _check_storage(request.storage, gpu)
        records = read_records((gpu or cpu).name, request.logs)
        progress("import")
        model = import_onnx(request.onnx_model, request.input_shapes)
        options = PipelineOptions(
            cpu=cpu,
            gpu=gpu,
            storage=request.storage,
            names=model.weight_names,
            optimizations=request.optimizations or Optimizations(),
            records=records,
            extension=request.extension or Extension(),
            dump=Path(request.dump) if request.dump else None,
        )
        return cls(model=model, target=target, options=options)


def _check_storage(storage: str, gpu: GpuModel | None) -> None:
    if storage not in STORAGES:
        raise BuildError(f"storage='{storage}': expected one of {', '.join(STORAGES)}")
    if gpu is None and storage != STORAGES[0]:
        raise BuildError(
            f"storage='{storage}': is for GPUs; build for one (target='opencl'), or leave it out"
        )
