"""Writes a network as a folder that runs on a GPU without TVM."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.bench.gpu.network_program import PROGRAM, SOURCE, WEIGHTS
from tvm_patdnn.library.metadata import Metadata
from tvm_patdnn.standalone.device_program import BUFFER_ALIGNMENT, DeviceProgram
from tvm_patdnn.standalone.sequence import Ref

__all__ = ["write_network"]

# Numbers of 4 bytes, of which few are distinct.
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "lc": 0, "lp": 2, "pb": 2}]


def write_network(program: DeviceProgram, metadata: Metadata, folder: Path, **facts: Any) -> None:
    """Writes the program, but not the binary of its kernels, into a new folder.

    Args:
        facts: what else is to be known of it, as JSON has it.
    """
    folder.mkdir(parents=True)
    offsets, weights = _packed(program.calls.constants)
    described = {
        **facts,
        "arena": program.memory.bytes,
        "weights": len(weights),
        "inputs": _tensors(program, "input", metadata.inputs),
        "outputs": _tensors(program, "output", metadata.outputs),
        "launches": list(_launches(program, offsets)),
    }
    (folder / PROGRAM).write_text(json.dumps(described))
    (folder / SOURCE).write_text(program.source)
    (folder / WEIGHTS).write_bytes(lzma.compress(weights, filters=_FILTERS))


def _packed(constants: Sequence[np.ndarray]) -> tuple[list[int], bytes]:
    """Returns the offset of each constant, and all of them in one piece, each once."""
    places: dict[bytes, int] = {}
    offsets, packed = [], bytearray()
    for constant in constants:
        data = constant.tobytes()
        if data not in places:
            places[data] = len(packed)
            packed += data + bytes(-len(data) % BUFFER_ALIGNMENT)
        offsets.append(places[data])
    return offsets, bytes(packed)


def _tensors(program: DeviceProgram, space: str, names: Mapping[str, Any]) -> list[dict[str, Any]]:
    tensors = program.calls.inputs if space == "input" else program.calls.outputs
    return [
        {
            "name": name,
            "shape": list(tensor.shape),
            "dtype": tensor.dtype,
            "offset": program.memory.offsets[Ref(space, i)],
        }
        for i, (name, tensor) in enumerate(zip(names, tensors, strict=True))
    ]


def _launches(program: DeviceProgram, offsets: Sequence[int]) -> Iterator[dict[str, Any]]:
    for launch, args in program.steps:
        yield {
            "kernel": launch.kernel,
            "grid": list(launch.grid),
            "block": list(launch.block),
            "shared": launch.dynamic_shared,
            "arguments": [
                ["weights", offsets[ref.number]]
                if ref.space == "constant"
                else ["arena", program.memory.offsets[ref]]
                for ref in args
            ],
        }
