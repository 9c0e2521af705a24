"""Small images as JPEG files one after the other in an .npz file.

A folder holds ``*_train_jpeg.npz`` and ``*_test_jpeg.npz`` with the arrays ``data`` (uint8,
all files), ``offsets`` (int64, n + 1), ``labels`` (n) and ``classes`` (names): image i is
``data[offsets[i]:offsets[i + 1]]``.
"""

from __future__ import annotations

import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.data.arrays import Half, RawData
from tvm_patdnn.training.data.cache import cached_images
from tvm_patdnn.training.data.decoding import decode_all

__all__ = ["is_jpeg_npz", "read_jpeg_npz"]

_ARRAYS = ("data", "offsets", "labels", "classes")
_NAMES = {"cifar10": "CIFAR-10 (JPEG)"}


def is_jpeg_npz(folder: Path) -> bool:
    """Whether ``folder`` holds such files."""
    return any(folder.glob("*_train_jpeg.npz"))


def read_jpeg_npz(folder: Path) -> RawData:
    """Reads both halves.

    Raises:
        TrainingError: a file is missing, or its arrays do not fit together.
    """
    train = min(folder.glob("*_train_jpeg.npz"))
    test = train.with_name(train.name.replace("_train_", "_test_"))
    prefix = train.name.removesuffix("_train_jpeg.npz")
    halves, names = zip(*(_read_half(path) for path in (train, test)))
    if names[0] != names[1]:
        raise TrainingError(f"{test}: its classes are not those of {train.name}")
    name = _NAMES.get(prefix, f"{prefix} (JPEG)")
    return RawData(name=name, train=halves[0], test=halves[1], classes=names[0])


def _read_half(path: Path) -> tuple[Half, tuple[str, ...]]:
    if not path.is_file():
        raise TrainingError(f"{path}: no such file; it belongs to the training images beside it")
    arrays = _load(path)
    data, offsets = arrays["data"], arrays["offsets"]
    if offsets[0] != 0 or (np.diff(offsets) <= 0).any() or offsets[-1] > len(data):
        raise TrainingError(
            f"{path}: its offsets do not rise from 0 to at most {len(data)}, the bytes it holds"
        )

    def decode() -> np.ndarray:
        return decode_all(
            (f"{path} image {i}", data[start:end].tobytes())
            for i, (start, end) in enumerate(pairwise(offsets))
        )

    images = cached_images(path, decode)
    return Half(images, arrays["labels"], str(path)), tuple(map(str, arrays["classes"]))


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in _ARRAYS}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{path}: cannot be read: {error}; expected an .npz file with {', '.join(_ARRAYS)}"
        ) from error
