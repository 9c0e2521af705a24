"""What can be tuned of a network, whatever it is compiled for."""

from __future__ import annotations

from dataclasses import replace

from relay_passes.pipeline import plan_gpu_pipeline, plan_pipeline, plan_quantised
from tvm_patdnn.compilation import Compilation
from tvm_patdnn.errors import TuningError
from tvm_patdnn.tuning.conv2d_tasks import conv2d_tasks
from tvm_patdnn.tuning.gpu_conv2d_tasks import gpu_conv2d_tasks
from tvm_patdnn.tuning.int8_conv2d_tasks import int8_conv2d_tasks
from tvm_patdnn.tuning.other_layouts import other_layouts
from tvm_patdnn.tuning.pair_tasks import pair_tasks
from tvm_patdnn.tuning.problem import TuningTask

__all__ = ["network_tasks"]


def network_tasks(compilation: Compilation) -> list[TuningTask]:
    """Returns the tasks of a network, family by family.

    Raises:
        TuningError: there are none, or nothing measures kernels for the target.
    """
    tasks = _tasks(compilation)
    if not tasks:
        raise TuningError("the model has no convolution with a kernel of ours: nothing to tune")
    return tasks


def _tasks(compilation: Compilation) -> list[TuningTask]:
    module, options, kind = compilation.model.module, compilation.options, compilation.target.kind
    with compilation.target:
        if options.gpu is None:
            quantised, plan = plan_quantised(module, options), plan_pipeline(module, options)
            others = other_layouts(plan, options.cpu)
            return [
                *(int8_conv2d_tasks(quantised, options.cpu) if quantised is not None else ()),
                *(
                    replace(task, elsewhere=others.get(task.key, ()))
                    for task in conv2d_tasks(plan, options.cpu)
                ),
                *pair_tasks(plan, options.cpu),
            ]
        if kind.name != "opencl":
            raise TuningError(
                f"target '{kind.name}': kernels for GPUs are measured by OpenCL; tune for "
                "'opencl', 'adreno' or 'mali', or build without: the cost model chooses then"
            )
        return gpu_conv2d_tasks(plan_gpu_pipeline(module, options), options.gpu)
