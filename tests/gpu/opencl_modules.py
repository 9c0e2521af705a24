"""Relax modules on an OpenCL device, compared with what TVM computes on this CPU."""

from __future__ import annotations

import numpy as np
import tvm

from relay_passes.pipeline import PipelineOptions, run_pipeline
from tests.gpu.opencl import require_opencl, run_opencl
from tests.relay_passes.relax_modules import CPU, random_array, run_module
from tvm_patdnn.library.metadata import Metadata
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.standalone.device_code import DeviceFunction
from tvm_patdnn.standalone.device_program import DeviceProgram
from tvm_patdnn.standalone.sequence import Ref
from tvm_patdnn.standalone.source_model import SourceModel
from tvm_patdnn.standalone.write_folder import compile_device_program

__all__ = ["GPU", "OPENCL", "assert_same_on_opencl", "program_of", "run_program"]

OPENCL = resolve_target("opencl")
GPU = GpuModel.from_target(OPENCL)


def program_of(mod: tvm.IRModule, **options) -> DeviceProgram:
    """What a module becomes on an OpenCL device."""
    with OPENCL:
        mod = run_pipeline(mod, PipelineOptions(cpu=CPU, gpu=GPU, **options))
    return compile_device_program(
        SourceModel(module=mod, target=OPENCL, metadata=Metadata(target="", inputs={}, outputs={}))
    )


def run_program(program: DeviceProgram, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Runs the launches of a program in turn, in its planned memory."""
    require_opencl()
    arena = np.full(max(1, program.memory.bytes), 0x7F, np.uint8)  # nothing computes with this

    def view(ref: Ref) -> np.ndarray:
        offset = program.memory.offsets[ref]
        return arena[offset : offset + program.sizes[ref]]

    for i, value in enumerate(inputs):
        if Ref("input", i) in program.sizes:
            view(Ref("input", i))[:] = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
    constants = [np.array(each).reshape(-1) for each in program.calls.constants]
    for launch, args in program.steps:
        places = [constants[a.number] if a.space == "constant" else view(a) for a in args]
        numbered = [kind._replace(number=i) for i, kind in enumerate(launch.arguments)]
        numbered = [each._replace(kind="parameter") for each in numbered]
        one = DeviceFunction((launch._replace(arguments=tuple(numbered)),), ())
        for place, result in zip(places, run_opencl(program.source, one, places), strict=True):
            place[...] = result
    results = {
        Ref("output", i): (tensor.shape, tensor.dtype)
        for i, tensor in enumerate(program.calls.outputs)
    }
    return [view(ref).view(dtype).reshape(shape) for ref, (shape, dtype) in results.items()]


def assert_same_on_opencl(mod: tvm.IRModule, **options) -> DeviceProgram:
    """Compares a module with itself on this CPU; returns what it became."""
    inputs = [
        random_array(*[int(n) for n in param.ty.shape.values], seed=i)
        for i, param in enumerate(mod["main"].params)
    ]
    program = program_of(mod, **options)
    results = run_program(program, inputs)
    for expected, got in zip(run_module(mod, *inputs), results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
    return program
