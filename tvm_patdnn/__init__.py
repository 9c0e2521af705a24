"""Compiles pattern-pruned CNNs so that the pruned work is not done.

Example:
    lib = tvm_patdnn.build("model.onnx", target="llvm -mtriple=aarch64-linux-gnu")
    lib.export_library("model.so")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tvm_patdnn.builder import build
    from tvm_patdnn.device.device import Device
    from tvm_patdnn.errors import (
        BenchError,
        BuildError,
        DeviceError,
        LibraryError,
        ModelError,
        PatDNNError,
        PlotError,
        PruningError,
        QuantizationError,
        TargetError,
        TrainingError,
        TuningError,
    )
    from tvm_patdnn.inspection import inspect
    from tvm_patdnn.library.library import Library
    from tvm_patdnn.library.loading import load
    from tvm_patdnn.optimizations import Optimizations
    from tvm_patdnn.pruning import prune_onnx
    from tvm_patdnn.quantizing import quantize_onnx
    from tvm_patdnn.sparse.patterns import Pattern

__all__ = [
    "BenchError",
    "BuildError",
    "Device",
    "DeviceError",
    "Library",
    "LibraryError",
    "ModelError",
    "Optimizations",
    "PatDNNError",
    "Pattern",
    "PlotError",
    "PruningError",
    "QuantizationError",
    "TargetError",
    "TrainingError",
    "TuningError",
    "build",
    "inspect",
    "load",
    "prune_onnx",
    "quantize_onnx",
]

_HOMES = {
    "Device": "device.device",
    "Library": "library.library",
    "Optimizations": "optimizations",
    "Pattern": "sparse.patterns",
    "build": "builder",
    "inspect": "inspection",
    "load": "library.loading",
    "prune_onnx": "pruning",
    "quantize_onnx": "quantizing",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used: TVM takes seconds to import."""
    if name not in __all__:
        raise AttributeError(f"module 'tvm_patdnn' has no attribute '{name}'")
    home = f"tvm_patdnn.{_HOMES.get(name, 'errors')}"
    try:
        return getattr(import_module(home), name)
    except ModuleNotFoundError as error:
        if error.name is None or not home.startswith(error.name):
            raise
        raise ImportError(
            f"tvm_patdnn.{name} is not in tvm-patdnn-runtime, which only runs libraries; install "
            "tvm-patdnn"
        ) from error
