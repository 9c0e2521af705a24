"""Runs what ``write_network`` wrote, on a machine that has a device but no TVM."""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = ["BINARY", "PROGRAM", "SOURCE", "WEIGHTS", "Device", "NetworkProgram"]

PROGRAM, SOURCE, BINARY, WEIGHTS = "program.json", "kernels.cu", "kernels.cubin", "weights.xz"


class Device(Protocol):
    """What a program needs of a device."""

    def upload(self, data: bytes) -> Any:
        """Returns memory of the device that holds ``data``."""

    def write(self, memory: Any, offset: int, data: bytes) -> None:
        """Copies ``data`` into memory of the device."""

    def read(self, memory: Any, offset: int, size: int) -> bytes:
        """Copies memory of the device to the host; waits for what was launched."""

    def bind(
        self,
        folder: Path,
        launch: Mapping[str, Any],
        arguments: list[tuple[Any, int]],
    ) -> Any:
        """Returns what ``launch`` takes: a kernel with its (memory, offset) arguments."""

    def launch(self, bound: Any) -> None:
        """Runs a kernel behind those that were launched before."""


class NetworkProgram:
    """A network on a device.

    Attributes:
        facts: the file's content.
    """

    def __init__(self, folder: Path, device: Device) -> None:
        """Uploads the weights and binds all arguments."""
        self.facts: dict[str, Any] = json.loads((folder / PROGRAM).read_text())
        self._device = device
        weights = lzma.decompress((folder / WEIGHTS).read_bytes())
        memory = {
            "arena": device.upload(bytes(max(1, self.facts["arena"]))),
            "weights": device.upload(weights or b"\0"),
        }
        self._arena = memory["arena"]
        self._bound = [
            device.bind(folder, launch, [(memory[name], at) for name, at in launch["arguments"]])
            for launch in self.facts["launches"]
        ]

    def give(self, inputs: Mapping[str, np.ndarray]) -> None:
        """Copies the inputs to the device."""
        for tensor in self.facts["inputs"]:
            array = np.ascontiguousarray(inputs[tensor["name"]], tensor["dtype"])
            self._device.write(self._arena, tensor["offset"], array.tobytes())

    def launch(self) -> None:
        """Launches all kernels; nothing waits for them."""
        for bound in self._bound:
            self._device.launch(bound)

    def take(self) -> dict[str, np.ndarray]:
        """Copies the outputs from the device, when they are computed."""
        found = {}
        for tensor in self.facts["outputs"]:
            dtype, shape = np.dtype(tensor["dtype"]), tuple(tensor["shape"])
            size = int(np.prod(shape)) * dtype.itemsize
            data = self._device.read(self._arena, tensor["offset"], size)
            found[tensor["name"]] = np.frombuffer(data, dtype).reshape(shape)
        return found
