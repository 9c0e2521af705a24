"""Writes the constants of a model into one file, each once."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tvm_patdnn.standalone.tensor_bytes import aligned_bytes

__all__ = ["PackedWeights", "pack_weights"]


@dataclass(frozen=True, kw_only=True)
class PackedWeights:
    """What was written.

    Attributes:
        offsets: of each constant in the file; equal ones share a place.
        text: offset of the text, which ends with a zero byte.
        crc: CRC-32 of the whole file.
    """

    offsets: tuple[int, ...]
    text: int
    bytes: int
    crc: int


def pack_weights(constants: Sequence[np.ndarray], text: str, path: Path) -> PackedWeights:
    """Writes the constants, aligned, and a text behind them.

    Raises:
        OSError: the file cannot be written.
    """
    offsets: list[int] = []
    places: dict[bytes, int] = {}
    size, crc = 0, 0
    with path.open("wb") as file:
        for data in _contents(constants, text):
            key = hashlib.sha256(data).digest()
            if key not in places:
                places[key] = size
                for part in (data, bytes(aligned_bytes(len(data)) - len(data))):
                    file.write(part)
                    size, crc = size + len(part), zlib.crc32(part, crc)
            offsets.append(places[key])
    return PackedWeights(offsets=tuple(offsets[:-1]), text=offsets[-1], bytes=size, crc=crc)


def _contents(constants: Sequence[np.ndarray], text: str) -> Iterator[bytes]:
    for array in constants:
        yield array.tobytes()
    yield text.encode() + b"\0"
