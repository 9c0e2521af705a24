"""The GPU of the race: its memory by torch, kernels by the driver, and times of both alike.

Launches and torch's operators are recorded into a graph and replayed many times, so that the time
of the CPU, which launches one after the other, is in neither.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tvm_patdnn.bench.gpu.layer_case import LayerLaunch
from tvm_patdnn.errors import BenchError

__all__ = ["CudaDevice", "Device", "torchs_machine"]

CALLS = 20  # recorded in a graph
REPLAYS = 25
WARM_UP = 3
WARM_REPLAYS = 10


def torchs_machine(torch: Any) -> dict[str, Any]:
    """Returns where a row was measured: the GPU, and the versions of torch and cuDNN.

    Args:
        torch: the module.
    """
    cudnn = torch.backends.cudnn.version()
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    return {"gpu": gpu, "torch": torch.__version__, "cudnn": cudnn}


class Device(Protocol):
    """Where kernels run. Arrays are torch's tensors, wherever they are."""

    name: str

    def array(self, values: np.ndarray) -> Any:
        """Copies an array to the device."""

    def call(self, module: Path, launches: Sequence[LayerLaunch], arrays: dict[str, Any]) -> None:
        """Launches kernels of a module, with arrays by the names of their arguments."""

    def time(self, call: Callable[[], Any]) -> list[float]:
        """Returns the microseconds that a call takes, of several turns."""


class CudaDevice:
    """The first CUDA GPU.

    Raises:
        BenchError: torch finds none.
    """

    def __init__(self) -> None:
        import torch

        if not torch.cuda.is_available():
            raise BenchError(
                "no CUDA GPU: the race needs one, its driver, and a torch built with CUDA"
            )
        torch.zeros(1, device="cuda")  # makes the context current
        self._torch = torch
        self._raise_clocks()
        self._driver = ctypes.CDLL("libcuda.so.1")
        self._functions: dict[tuple[Path, str], ctypes.c_void_p] = {}
        self._modules: dict[Path, ctypes.c_void_p] = {}
        self.name = str(torch.cuda.get_device_name(0))

    def _raise_clocks(self) -> None:
        work = self._torch.ones(4096, 4096, device="cuda")
        for _ in range(200):
            work @ work
        self._torch.cuda.synchronize()

    def array(self, values: np.ndarray) -> Any:
        """See ``Device``."""
        return self._torch.from_numpy(np.ascontiguousarray(values)).cuda()

    def call(self, module: Path, launches: Sequence[LayerLaunch], arrays: dict[str, Any]) -> None:
        """See ``Device``."""
        stream = ctypes.c_void_p(self._torch.cuda.current_stream().cuda_stream)
        for launch in launches:
            pointers = [ctypes.c_void_p(arrays[name].data_ptr()) for name in launch.arguments]
            values = (ctypes.c_void_p * len(pointers))(*(ctypes.addressof(p) for p in pointers))
            function = self._function(module, launch.kernel)
            sizes = (*launch.grid, *launch.block)
            self._check(
                self._driver.cuLaunchKernel(function, *sizes, 0, stream, values, None),
                launch.kernel,
            )

    def time(self, call: Callable[[], Any]) -> list[float]:
        """See ``Device``."""
        cuda = self._torch.cuda
        cuda.synchronize()
        side = cuda.Stream()
        with cuda.stream(side):
            for _ in range(WARM_UP):
                call()
        cuda.synchronize()
        graph = cuda.CUDAGraph()
        with cuda.graph(graph):
            for _ in range(CALLS):
                call()
        for _ in range(WARM_REPLAYS):
            graph.replay()
        found = []
        for _ in range(REPLAYS):
            begin, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
            begin.record()
            graph.replay()
            end.record()
            end.synchronize()
            found.append(begin.elapsed_time(end) * 1000 / CALLS)
        return found

    def works(self) -> bool:
        """Whether the GPU still answers this process."""
        return int(self._driver.cuCtxSynchronize()) == 0

    def _function(self, module: Path, kernel: str) -> ctypes.c_void_p:
        if (module, kernel) not in self._functions:
            if module not in self._modules:
                self._modules[module] = ctypes.c_void_p()
                loaded = ctypes.byref(self._modules[module])
                code = module.read_bytes()
                self._check(self._driver.cuModuleLoadData(loaded, code), module.name)
            found = ctypes.c_void_p()
            name = kernel.encode()
            self._check(
                self._driver.cuModuleGetFunction(ctypes.byref(found), self._modules[module], name),
                kernel,
            )
            self._functions[module, kernel] = found
        return self._functions[module, kernel]

    def _check(self, status: int, what: str) -> None:
        if status:
            raise BenchError(f"{what}: the CUDA driver answers with error {status}")
