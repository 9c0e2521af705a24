"""From an ONNX model to a library that does only the work pruning left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tvm
from tvm import relax

from relay_passes.embed_constants import EmbedConstants
from relay_passes.lower_gpu_kernels import gpu_kernel_pipeline
from relay_passes.lower_kernels import kernel_pipeline
from relay_passes.pipeline import PipelineOptions, lowering_passes, run_pipeline
from relay_passes.relax_ir.reported_layers import reported_layers
from tvm_patdnn.blame import naming_culprit
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.importing.importer import ImportedModel
from tvm_patdnn.importing.onnx_file import ModelSource
from tvm_patdnn.importing.onnx_shapes import InputShapes
from tvm_patdnn.library.constant_file import ConstantFile, constant_file
from tvm_patdnn.library.cuda_binary import binary_for_cuda
from tvm_patdnn.library.library import Library
from tvm_patdnn.library.metadata import Metadata, embed_metadata
from tvm_patdnn.machine.targets import TargetLike, is_gpu
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.standalone.export import export_standalone
from tvm_patdnn.standalone.source_model import SourceModel

__all__ = ["build", "build_requested", "source_model"]

Progress = Callable[[str], None]
Guard = Callable[[], AbstractContextManager[None]]
Executable = Callable[[], relax.VMExecutable]
_PACKAGES = ("tvm-patdnn", "apache-tvm", "apache-tvm-ffi", "onnx", "numpy")


def build(
    onnx_model: ModelSource,
    target: TargetLike = None,
    *,
    input_shapes: InputShapes | None = None,
    logs: str | Path | None = None,
    optimizations: Optimizations | None = None,
    dump: str | Path | None = None,
    lazy: bool = False,
    storage: str = "float32",
    progress: Progress = lambda phase: None,
) -> Library:
    """Compiles a model.

    Args:
        onnx_model: a path, the bytes of a file, or a ModelProto.
        target: what to compile for: a preset such as "raspberry-pi-4", a string such as
            "llvm -mtriple=aarch64-linux-gnu" or "cuda -arch=sm_80", a dict or a Target; this
            machine's CPU by default.
        input_shapes: sizes of dynamic inputs, for example {"x": [1, 3, 224, 224]}.
        logs: tuning records, a file or a folder; "" for none; by default what the environment's
            TVM_PATDNN_LOGS says, else those shipped in autotune_logs.
        optimizations: what to leave out, for comparison; nothing by default.
        dump: a folder for the module after each pass.
        lazy: compile for TVM's virtual machine only when that is needed; for those who only
            want ``export_standalone``, which compiles on its own.
        storage: of a GPU's tensors and weights between inputs and outputs: "float32", or
            "float16", of which sums are still float32.
        progress: told the name of each phase as it begins.

    Raises:
        ModelError: the model cannot be read, imported or compiled.
        TargetError: the target does not exist, or is of a kind that is not supported.
        TuningError: the tuning records cannot be read.
        BuildError: TVM cannot compile any model for the target, or not with this storage.
    """
    request = Request(
        onnx_model=onnx_model,
        target=target,
        input_shapes=input_shapes,
        logs=logs,
        optimizations=optimizations,
        dump=dump,
        storage=storage,
    )
    return build_requested(request, progress, lazy=lazy)


def build_requested(
    request: Request, progress: Progress = lambda phase: None, *, lazy: bool = False
) -> Library:
    """Compiles what is asked for; raises what ``build`` raises."""
    compilation = Compilation.of(request, progress)

    target, options = compilation.target, compilation.options

    def compiled(model: ImportedModel) -> Library:
        return _compiled(model, target, replace(options, dump=None), lambda phase: None)

    guard = partial(naming_culprit, request, target, compiled)
    with guard():
        return _compiled(compilation.model, target, options, progress, guard if lazy else None)


def source_model(request: Request) -> SourceModel:
    """Returns what a standalone model is made from; raises what ``build`` raises."""
    compilation = Compilation.of(request, lambda phase: None)
    return _source(compilation.model, compilation.target, compilation.options, lambda phase: None)


def _compiled(
    model: ImportedModel,
    target: tvm.target.Target,
    options: PipelineOptions,
    progress: Progress,
    later: Guard | None = None,
) -> Library:
    """Compiles a model; with ``later``, for TVM's virtual machine only when that is needed."""
    source = _source(model, target, options, progress)
    progress("code generation")
    constants = None if options.gpu else constant_file(str(target.attrs["mtriple"]))
    embedded = embed_metadata(source.module, source.metadata)
    executable = partial(_lowered, embedded, target, constants)
    return Library(
        partial(_guarded, later, executable) if later else executable(),
        target,
        source.metadata,
        constants,
        partial(export_standalone, source),
    )


def _source(
    model: ImportedModel, target: tvm.target.Target, options: PipelineOptions, progress: Progress
) -> SourceModel:
    """Runs our passes."""
    with target:
        mod = run_pipeline(model.module, options, progress)
    metadata = Metadata(
        target=str(target),
        inputs=model.inputs,
        outputs=model.outputs,
        layers=tuple(reported_layers(mod)),
        versions=_versions(),
        properties=model.properties,
    )
    return SourceModel(
        module=mod, target=target, metadata=metadata, data_dependent=model.data_dependent
    )


def _guarded(guard: Guard, compiled: Executable) -> relax.VMExecutable:
    with guard():
        return compiled()


def _lowered(
    mod: tvm.IRModule, target: tvm.target.Target, constants: ConstantFile | None
) -> relax.VMExecutable:
    embed = EmbedConstants(add=constants.add, path=constants.path) if constants else None
    # Kernels get what the virtual machine planned; checks of every call would be most of the code.
    unchecked = tvm.transform.PassContext(config={"tirx.disable_assert": True})
    with unchecked, binary_for_cuda(target):
        return relax.build(
            mod,
            target,
            relax_pipeline=tvm.transform.Sequential(lowering_passes(embed)),
            tir_pipeline=gpu_kernel_pipeline() if is_gpu(target) else kernel_pipeline(),
        )


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # a checkout that is not installed
            continue
    return found
