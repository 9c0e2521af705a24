"""Runs the stages of a kernel through ctypes, each loop in parts."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import tvm

from tests.built import library
from tvm_patdnn.library.cross_compile import export_compiler
from tvm_patdnn.standalone.kernels import compile_kernels, split_kernels
from tvm_patdnn.standalone.stages import Kernel
from tvm_patdnn.standalone.write_folder import kernel_objects

__all__ = ["aligned", "run_kernel", "split"]


def aligned(size: int) -> np.ndarray:
    """Zero bytes at an address that kernels accept."""
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size]


def split(func: tvm.tirx.PrimFunc) -> Kernel:
    """The stages of a function for this machine."""
    return split_kernels(_module(func), {"kernel"}, library().target, "m")["kernel"]


def _module(func: tvm.tirx.PrimFunc) -> tvm.IRModule:
    return tvm.IRModule({"kernel": func.with_attr("global_symbol", "kernel")})


def run_kernel(func: tvm.tirx.PrimFunc, x: np.ndarray, tasks: int, folder: Path) -> np.ndarray:
    """Computes y, of the shape of x, from x; each loop in ``tasks`` parts, the last first."""
    made = compile_kernels(_module(func), {"kernel"}, library().target, "m", folder)
    kernel = made["kernel"]
    objects = [str(folder / name) for name in kernel_objects(folder)]
    export_compiler(library().target)(str(folder / "kernels.so"), objects)
    loaded = ctypes.CDLL(str(folder / "kernels.so"))
    given, made = aligned(x.nbytes), aligned(x.nbytes)
    given[:] = np.frombuffer(x.tobytes(), np.uint8)
    places = {("parameter", 0): given, ("parameter", 1): made}
    places |= {("shared", i): aligned(size) for i, size in enumerate(kernel.shared)}
    for stage in kernel.stages:
        scratch = aligned(stage.scratch)
        places |= {("scratch", number): scratch[number:] for _, number in stage.arguments}
        pointers = [ctypes.c_void_p(places[argument].ctypes.data) for argument in stage.arguments]
        n = stage.iterations
        parts = [(n * task // tasks, n * (task + 1) // tasks) for task in range(tasks)]
        for part in reversed(parts) if n > 1 else [()]:
            assert getattr(loaded, stage.symbol)(*pointers, *part) == 0
    return made.view(x.dtype).reshape(x.shape)
