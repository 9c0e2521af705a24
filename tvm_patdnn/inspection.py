"""Says what a model would become, without compiling it."""

from __future__ import annotations

import json
from collections.abc import Callable

from relay_passes.pipeline import canonical_passes
from relay_passes.rewrite_to_lanes import LAYERS_ATTRIBUTE, RewriteToLanes
from tvm_patdnn.importing.importer import import_onnx
from tvm_patdnn.importing.onnx_file import ModelSource
from tvm_patdnn.importing.onnx_shapes import InputShapes
from tvm_patdnn.library.report import Report
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.targets import TargetLike, resolve_target

__all__ = ["inspect"]


def inspect(
    onnx_model: ModelSource,
    target: TargetLike = None,
    *,
    input_shapes: InputShapes | None = None,
    progress: Callable[[str], None] = lambda phase: None,
) -> Report:
    """Finds the patterns of a model and decides what each convolution would become.

    The same report as that of the built library, as the same passes make it.

    Args:
        onnx_model: a path, the bytes of a file, or a ModelProto.
        target: what it would be compiled for; see ``build``.
        input_shapes: sizes of dynamic inputs, for example {"x": [1, 3, 224, 224]}.
        progress: told the name of each phase as it begins.

    Raises:
        ModelError: the model cannot be read or imported.
        TargetError: the target does not exist, or is not a CPU.
    """
    resolved = resolve_target(target)
    cpu = CpuModel.from_target(resolved)
    progress("import")
    model = import_onnx(onnx_model, input_shapes)
    progress("analysis")
    mod = model.module
    with resolved:
        for each in [*canonical_passes(), RewriteToLanes(cpu=cpu, names=model.weight_names)]:
            mod = each(mod)
    return Report(json.loads(mod.attrs[LAYERS_ATTRIBUTE]))
