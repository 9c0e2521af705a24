"""A CUDA device by cupy, which is imported when it is opened."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from tvm_patdnn.bench.gpu.network_program import BINARY

__all__ = ["CupyDevice"]


class CupyDevice:
    """Launches go to one stream, in which they can be captured as a graph."""

    def __init__(self) -> None:
        self._cupy: Any = importlib.import_module("cupy")
        self.stream = self._cupy.cuda.Stream(non_blocking=True)
        self._modules: dict[Path, Any] = {}

    def upload(self, data: bytes) -> Any:
        """Returns memory of the device that holds ``data``."""
        numpy = importlib.import_module("numpy")
        memory = self._cupy.asarray(numpy.frombuffer(data, numpy.uint8))
        self._cupy.cuda.Device().synchronize()
        return memory

    def write(self, memory: Any, offset: int, data: bytes) -> None:
        """Copies ``data`` into memory of the device."""
        memory[offset : offset + len(data)] = self.upload(data)
        self._cupy.cuda.Device().synchronize()

    def read(self, memory: Any, offset: int, size: int) -> bytes:
        """Copies memory of the device to the host; waits for what was launched."""
        self.stream.synchronize()
        return bytes(memory[offset : offset + size].get())

    def bind(
        self, folder: Path, launch: Mapping[str, Any], arguments: list[tuple[Any, int]]
    ) -> Any:
        """Returns a kernel with its sizes and arguments."""
        if folder not in self._modules:
            self._modules[folder] = self._cupy.RawModule(path=str(folder / BINARY))
        kernel = self._modules[folder].get_function(launch["kernel"])
        if launch["shared"] > 48 << 10:
            kernel.max_dynamic_shared_size_bytes = launch["shared"]
        views = tuple(memory[offset:] for memory, offset in arguments)
        return kernel, tuple(launch["grid"]), tuple(launch["block"]), views, launch["shared"]

    def launch(self, bound: Any) -> None:
        """Runs a kernel behind those that were launched before."""
        kernel, grid, block, views, shared = bound
        with self.stream:
            kernel(grid, block, views, shared_mem=shared)

    def captured(self, launch: Callable[[], None]) -> Callable[[], None]:
        """Returns what launches at once all that ``launch`` launches."""
        with self.stream:
            self.stream.begin_capture()
            launch()
            graph = self.stream.end_capture()

        def launch_graph() -> None:
            graph.launch(self.stream)

        return launch_graph

    def seconds(self, launch: Callable[[], None], rounds: int = 7, runs: int = 20) -> float:
        """Returns the median over ``rounds`` of the mean time of ``runs``."""
        times = []
        for _ in range(rounds + 1):
            start, end = self._cupy.cuda.Event(), self._cupy.cuda.Event()
            start.record(self.stream)
            for _ in range(runs):
                launch()
            end.record(self.stream)
            end.synchronize()
            times.append(self._cupy.cuda.get_elapsed_time(start, end) / 1e3 / runs)
        return median(times[1:])
