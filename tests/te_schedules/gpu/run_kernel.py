"""Runs samples of kernels, and says what they have to give."""

from __future__ import annotations

import numpy as np
import torch
from tvm.target import Target
from tvm.tirx import PrimFunc

from relay_passes.lower_gpu_kernels import COMPACT
from te_schedules.epilogue import Step
from te_schedules.gpu.conv2d import conv2d, sum_parts
from te_schedules.gpu.kernel_sample import Sample
from tests.gpu.opencl import run_opencl
from tvm_patdnn.standalone.device_code import device_code

__all__ = ["expected", "functions", "run_function", "run_sample", "target"]


def target(kind: str, **attributes: object) -> Target:
    return Target({"kind": kind, **attributes}, host=Target("llvm"))


def functions(sample: Sample, name: str = "main") -> dict[str, PrimFunc]:
    """The kernel, and where it is split the one that adds its parts."""
    found = {name: conv2d(sample.kernel)}
    if sample.kernel.splits > 1:
        found[f"{name}_sum"] = sum_parts(sample.kernel)
    return {each: func.with_attr(COMPACT, True) for each, func in found.items()}


def run_function(func: PrimFunc, arrays: dict[str, np.ndarray]) -> None:
    """Runs a function by OpenCL; what it writes is put into ``arrays``."""
    names = [parameter.name for parameter in func.params]
    code = device_code({"main": func}, target("opencl"))
    results = run_opencl(code.source, code.functions["main"], [arrays[n] for n in names])
    arrays |= dict(zip(names, results, strict=True))


def run_sample(sample: Sample) -> np.ndarray:
    """Runs a sample; what it does not write is NaN."""
    kernel = sample.kernel
    output = np.full(kernel.geometry.out_shape, np.nan, kernel.storage)
    arrays = {"data": sample.data, "output": output, **kernel.constants}
    arrays |= {f"operand{i}": each for i, each in enumerate(sample.operands)}
    arrays["parts"] = np.full(kernel.parts_shape, np.nan, np.float32)
    for func in functions(sample).values():
        run_function(func, arrays)
    return arrays["output"]


def expected(sample: Sample) -> np.ndarray:
    """What torch makes of it, in float64."""
    geometry, window = sample.kernel.geometry, sample.kernel.geometry.window
    value = torch.nn.functional.conv2d(
        torch.from_numpy(sample.data).double(),
        torch.from_numpy(sample.weight).double(),
        stride=window.stride,
        padding=window.padding,
        dilation=window.dilation,
        groups=sample.groups,
    )
    assert value.shape == geometry.out_shape
    operands = iter(sample.operands)
    for step in sample.kernel.steps:
        value = _step(step, value, next(operands) if step.operand is not None else None)
    return value.numpy()


def _step(step: Step, value: torch.Tensor, operand: np.ndarray | None) -> torch.Tensor:
    if operand is not None:
        assert step.name == "add"
        other = torch.from_numpy(operand).double()
        return value + (other if other.ndim == 4 else other[:, :, None, None])
    return {"relu": torch.relu, "silu": torch.nn.functional.silu}[step.name](value)
