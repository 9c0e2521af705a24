"""Loads a library that TVM wrote, with TVM's runtime alone, as an application would."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.bench.system import Inputs, Job, Loaded
from tvm_patdnn.device.call_times import call_times

__all__ = ["PACKAGES", "REQUIREMENTS", "RUNTIME_ONLY", "import_runtime", "load_library"]

PACKAGES = ("tvm", "tvm_ffi")
REQUIREMENTS = ("apache-tvm", "apache-tvm-ffi")
RUNTIME_ONLY = {"TVM_USE_RUNTIME_LIB": "1"}  # without the compiler, which takes 100 MB of memory

_CONVOLUTION = "conv2d"  # in the name of each of our convolution kernels


def import_runtime() -> None:
    """Imports TVM without torch, which it would import where it is installed: 190 MB."""
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
    import_module("tvm")


def load_library(path: Path, job: Job, inputs: Inputs) -> Loaded:
    """Loads the function "main" of a Relax library; inputs in the order of the ONNX file."""
    tvm: Any = import_module("tvm")
    machine = import_module("tvm.runtime.vm").VirtualMachine(
        tvm.runtime.load_module(str(path)), tvm.cpu()
    )
    tensors = [tvm.runtime.tensor(array) for array in inputs.values()]
    main = machine["main"]

    def run() -> Any:
        return main(*tensors)

    def outputs(result: Any) -> list[np.ndarray]:
        results = [result] if hasattr(result, "numpy") else list(result)
        return [each.numpy() for each in results]

    return Loaded(run=run, outputs=outputs, profile=lambda: _profile(machine, run))


def _profile(machine: Any, run: Any) -> list[tuple[str, float]]:
    times = call_times(machine.set_instrument, run)
    return [(name, seconds) for name, seconds in times if _CONVOLUTION in name]
