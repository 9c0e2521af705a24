"""ONNX Runtime: all graph optimisations, its own CPU kernels; also the reference."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from tvm_patdnn.bench.system import Inputs, Job, Loaded, System

__all__ = ["SYSTEM", "load_session"]


def load_session(path: Path, job: Job, inputs: Inputs, *, optimised: bool = True) -> Loaded:
    """Loads a model."""
    ort: Any = import_module("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = job.threads
    options.inter_op_num_threads = 1
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = (
        levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
    )
    options.log_severity_level = 3  # errors
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = dict(inputs)
    return Loaded(run=lambda: session.run(None, feed), outputs=list)


SYSTEM = System(
    name="onnxruntime",
    packages=("onnxruntime",),
    imports=lambda: import_module("onnxruntime"),
    requirements=("onnxruntime",),
    load=load_session,
)
