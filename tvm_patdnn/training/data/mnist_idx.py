"""MNIST and data sets in its form, such as Fashion-MNIST: idx files, packed or not.

The format: two zero bytes, the type (8: uint8), the number of axes, their sizes as
big-endian 32-bit numbers, the data.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.data.arrays import Half, RawData

__all__ = ["is_mnist", "read_idx", "read_mnist"]

_IMAGES, _LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
_UINT8 = 8


def is_mnist(folder: Path) -> bool:
    """Whether ``folder`` holds ``train-images-idx3-ubyte``, maybe with ``.gz``."""
    return _file(folder, f"train-{_IMAGES}") is not None


def read_mnist(folder: Path) -> RawData:
    """Reads both halves; mirroring is off, as digits do not stay the same.

    Raises:
        TrainingError: a file is missing, or is not an idx file.
    """
    halves = [_read_half(folder, prefix) for prefix in ("train", "t10k")]
    count = int(max(half.labels.max() for half in halves)) + 1
    return RawData(
        name=folder.resolve().name,
        train=halves[0],
        test=halves[1],
        classes=tuple(map(str, range(count))),
        flip=False,
        padding=2,
    )


def _read_half(folder: Path, prefix: str) -> Half:
    files = {}
    for kind in (_IMAGES, _LABELS):
        path = _file(folder, f"{prefix}-{kind}")
        if path is None:
            raise TrainingError(
                f"{folder / f'{prefix}-{kind}'}: no such file, with or without .gz; expected "
                "the four files of MNIST"
            )
        files[kind] = path
    images, labels = read_idx(files[_IMAGES], axes=3), read_idx(files[_LABELS], axes=1)
    return Half(images[:, None], labels.astype(np.int64), str(files[_IMAGES]))


def read_idx(path: Path, *, axes: int) -> np.ndarray:
    """Reads an array of bytes with ``axes`` axes: uint8.

    Raises:
        TrainingError: it is not such a file, or is cut off.
    """
    try:
        stored = path.read_bytes()
        stored = gzip.decompress(stored) if path.suffix == ".gz" else stored
    except (OSError, EOFError, zlib.error) as error:
        raise TrainingError(f"{path}: cannot be read: {error}") from error
    start = 4 + 4 * axes
    if len(stored) < start or stored[:4] != bytes([0, 0, _UINT8, axes]):
        raise TrainingError(f"{path}: is not an idx file of uint8 with {axes} axes")
    shape = np.frombuffer(stored, ">u4", axes, offset=4).astype(int)
    if len(stored) - start != shape.prod():
        size = "x".join(map(str, shape))
        raise TrainingError(
            f"{path}: {len(stored) - start:,} bytes of data, but its header says {size}"
        )
    return np.frombuffer(stored, np.uint8, offset=start).reshape(shape)


def _file(folder: Path, name: str) -> Path | None:
    candidates = [folder / name, folder / f"{name}.gz"]
    return next((path for path in candidates if path.is_file()), None)
