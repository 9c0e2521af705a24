"""Where kernels are measured: in a process of this machine, or on a device behind TVM's RPC."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tvm

from tvm_patdnn.library.library import Library, load
from tvm_patdnn.library.running import RunnableModel
from tvm_patdnn.library.standalone_model import StandaloneModel
from tvm_patdnn.machine.targets import is_gpu

__all__ = ["HERE", "Place", "ThisMachine"]


class Place(Protocol):
    """Somewhere kernels run."""

    @property
    def device(self) -> Any:
        """TVM's device."""

    def tensor(self, array: np.ndarray) -> Any:
        """Sends an array there."""

    def load(self, library: Path) -> Any:
        """Sends a library there and loads it."""

    def network(self, library: Library) -> RunnableModel | StandaloneModel:
        """Sends a network there and loads it."""

    def is_alive(self) -> bool:
        """Whether what was sent there is still there; if not, the next use begins anew."""

    def release(self) -> None:
        """Lets others use it."""


class ThisMachine:
    """The process that asks."""

    @property
    def device(self) -> Any:
        """See ``Place``."""
        return tvm.cpu()

    def tensor(self, array: np.ndarray) -> Any:
        """See ``Place``."""
        return tvm.runtime.tensor(array)

    def load(self, library: Path) -> Any:
        """See ``Place``."""
        return tvm.runtime.load_module(str(library))

    def network(self, library: Library) -> RunnableModel | StandaloneModel:
        """Loads it as users do, from a file: code and constants lie in memory as they will."""
        if is_gpu(library.target):
            return library.runnable
        with tempfile.TemporaryDirectory(prefix="tvm-patdnn-") as folder:
            path = Path(folder) / "model.so"
            library.export_library(path)
            return load(path)

    def is_alive(self) -> bool:
        """See ``Place``."""
        return True

    def release(self) -> None:
        """See ``Place``."""


HERE = ThisMachine()
