"""PyTorch, from the ONNX file by onnx2torch: the faster of what its two compilers make."""

from __future__ import annotations

import contextlib
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from tvm_patdnn.bench.system import Inputs, Job, Loaded, System

__all__ = ["SYSTEM"]

_TRIAL_RUNS = 5


def _load(path: Path, job: Job, inputs: Inputs) -> Loaded:
    torch: Any = import_module("torch")
    torch.set_num_threads(job.threads)
    torch.set_grad_enabled(False)
    _spare_torchvision()
    model = import_module("onnx2torch").convert(str(path)).eval()
    tensors = [torch.from_numpy(array) for array in inputs.values()]
    ways = {"frozen graph": _frozen(torch, model, tensors)}
    if job.thorough:
        with contextlib.suppress(Exception):  # it needs a C++ compiler, and not all is supported
            ways["inductor"] = _inductor(torch, model, tensors)
    latencies = {name: _latency(way) for name, way in ways.items()}
    best = min(latencies, key=lambda name: latencies[name])
    return Loaded(run=ways[best], outputs=_arrays, facts={"variant": best})


def _frozen(torch: Any, model: Any, tensors: list[Any]) -> Callable[[], Any]:
    traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, tensors)))
    traced(*tensors)  # the first two runs specialise it
    traced(*tensors)
    return lambda: traced(*tensors)


def _inductor(torch: Any, model: Any, tensors: list[Any]) -> Callable[[], Any]:
    config: Any = import_module("torch._inductor.config")
    config.freezing = True
    wide = [
        each.to(memory_format=torch.channels_last) if each.dim() == 4 else each for each in tensors
    ]
    compiled = torch.compile(model.to(memory_format=torch.channels_last))
    compiled(*wide)
    return lambda: compiled(*wide)


def _latency(run: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(_TRIAL_RUNS):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def _arrays(result: Any) -> list[Any]:
    results = [result] if hasattr(result, "numpy") else list(result)
    return [each.numpy() for each in results]


def _spare_torchvision() -> None:
    """Stands in for torchvision, of which onnx2torch wants two operators that detectors have.

    A build of it that does not fit torch's would fail on import.
    """
    package, operators = ModuleType("torchvision"), ModuleType("torchvision.ops")
    vars(operators)["roi_align"] = None
    vars(package)["ops"] = operators
    sys.modules.update({"torchvision": package, "torchvision.ops": operators})


SYSTEM = System(
    name="torch",
    packages=("torch", "onnx2torch"),
    imports=lambda: import_module("torch"),
    requirements=("torch==2.13.0", "onnx2torch", "onnx", "numpy"),
    without_dependencies=("onnx2torch",),  # torchvision
    load=_load,
)
