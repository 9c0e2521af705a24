"""Says what a model would become, without compiling it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from relay_passes.pipeline import report_pipeline
from tvm_patdnn.blame import naming_culprit
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.importing.importer import ImportedModel
from tvm_patdnn.importing.onnx_file import ModelSource
from tvm_patdnn.importing.onnx_shapes import InputShapes
from tvm_patdnn.library.report import Report
from tvm_patdnn.machine.targets import TargetLike
from tvm_patdnn.optimizations import Optimizations

__all__ = ["inspect"]


def inspect(
    onnx_model: ModelSource,
    target: TargetLike = None,
    *,
    input_shapes: InputShapes | None = None,
    logs: str | Path | None = None,
    optimizations: Optimizations | None = None,
    progress: Callable[[str], None] = lambda phase: None,
) -> Report:
    """Finds the patterns of a model and decides what each convolution would become.

    The same report as that of the built library: it follows the same plan.

    Args:
        onnx_model: a path, the bytes of a file, or a ModelProto.
        target: what it would be compiled for; see ``build``.
        input_shapes: sizes of dynamic inputs, for example {"x": [1, 3, 224, 224]}.
        logs: tuning records; see ``build``.
        optimizations: what would be left out; see ``build``.
        progress: told the name of each phase as it begins.

    Raises:
        ModelError: the model cannot be read or imported.
        TargetError: the target does not exist, or is of a kind that is not supported.
        TuningError: the tuning records cannot be read.
    """
    request = Request(
        onnx_model=onnx_model,
        target=target,
        input_shapes=input_shapes,
        logs=logs,
        optimizations=optimizations,
    )
    compilation = Compilation.of(request, progress)
    progress("analysis")

    def reported(model: ImportedModel) -> Report:
        with compilation.target:
            layers = report_pipeline(model.module, compilation.options)
        return Report(layers, inputs=model.inputs, outputs=model.outputs)

    with naming_culprit(request, compilation.target, reported):
        return reported(compilation.model)
