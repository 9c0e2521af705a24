"""OpenVINO: latency mode, float32 throughout (it takes bfloat16 by itself where the CPU can)."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from tvm_patdnn.bench.system import Inputs, Job, Loaded, System

__all__ = ["SYSTEM"]


def _load(path: Path, job: Job, inputs: Inputs) -> Loaded:
    openvino: Any = import_module("openvino")
    core = openvino.Core()
    config = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": job.threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # the process is pinned already
    }
    compiled = core.compile_model(str(path), "CPU", config)
    request = compiled.create_infer_request()
    for name, array in inputs.items():
        request.set_tensor(name, openvino.Tensor(array, shared_memory=True))

    def outputs(_: Any) -> list[Any]:
        return [request.get_tensor(port).data.copy() for port in compiled.outputs]

    return Loaded(run=lambda: request.infer(), outputs=outputs)


SYSTEM = System(
    name="openvino",
    packages=("openvino",),
    imports=lambda: import_module("openvino"),
    requirements=("openvino>=2026.4,<2027", "numpy"),
    load=_load,
)
