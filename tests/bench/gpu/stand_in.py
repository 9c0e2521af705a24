"""A device that stands in for a CUDA GPU: OpenCL's, with arrays of torch on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.gpu.opencl import run_opencl
from tvm_patdnn.bench.gpu.layer_case import LayerLaunch
from tvm_patdnn.standalone.device_code import DeviceFunction, Launch
from tvm_patdnn.standalone.stages import Argument

__all__ = ["StandIn"]


class StandIn:
    """Runs sources by OpenCL; what it takes for times are the numbers of calls."""

    name = "stand-in"

    def __init__(self) -> None:
        self.calls = 0

    def array(self, values: np.ndarray) -> Any:
        return torch.from_numpy(np.ascontiguousarray(values))

    def call(self, module: Path, launches: Sequence[LayerLaunch], arrays: dict[str, Any]) -> None:
        self.calls += 1
        for launch in launches:
            given = [arrays[name] for name in launch.arguments]
            places = tuple(Argument("parameter", i) for i in range(len(given)))
            made = Launch(launch.kernel, places, launch.grid, launch.block)
            function = DeviceFunction((made,), ())
            results = run_opencl(module.read_text(), function, [each.numpy() for each in given])
            for tensor, result in zip(given, results, strict=True):
                tensor.copy_(torch.from_numpy(result))

    def works(self) -> bool:
        return True

    def time(self, call: Callable[[], Any]) -> list[float]:
        call()
        return [float(self.calls)]
