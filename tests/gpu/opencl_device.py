"""An OpenCL device as networks on a GPU want it: memory on the host, copied for each launch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.gpu.opencl import run_opencl
from tvm_patdnn.bench.gpu.network_program import SOURCE
from tvm_patdnn.standalone.device_code import DeviceFunction, Launch
from tvm_patdnn.standalone.stages import Argument

__all__ = ["OpenClDevice"]


class OpenClDevice:
    def upload(self, data: bytes) -> np.ndarray:
        return np.frombuffer(data, np.uint8).copy()

    def write(self, memory: np.ndarray, offset: int, data: bytes) -> None:
        memory[offset : offset + len(data)] = np.frombuffer(data, np.uint8)

    def read(self, memory: np.ndarray, offset: int, size: int) -> bytes:
        return memory[offset : offset + size].tobytes()

    def bind(
        self, folder: Path, launch: Mapping[str, Any], arguments: list[tuple[Any, int]]
    ) -> Any:
        one = Launch(
            kernel=launch["kernel"],
            arguments=tuple(Argument("parameter", i) for i in range(len(arguments))),
            grid=tuple(launch["grid"]),
            block=tuple(launch["block"]),
        )
        views = [memory[offset:] for memory, offset in arguments]
        return (folder / SOURCE).read_text(), DeviceFunction((one,), ()), views

    def launch(self, bound: Any) -> None:
        source, function, views = bound
        results = run_opencl(source, function, views)
        for view, before, after in zip(views, [v.copy() for v in views], results, strict=True):
            changed = before != after
            view[changed] = after[changed]
