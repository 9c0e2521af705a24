"""CIFAR-10 as its authors publish it: pickled Python dictionaries, or binary records."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.data.arrays import Half, RawData

__all__ = ["is_cifar_binary", "is_cifar_python", "read_cifar_binary", "read_cifar_python"]

_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32


def is_cifar_python(folder: Path) -> bool:
    """Whether ``folder`` is ``cifar-10-batches-py``."""
    return (folder / "data_batch_1").is_file()


def is_cifar_binary(folder: Path) -> bool:
    """Whether ``folder`` is ``cifar-10-batches-bin``."""
    return (folder / "data_batch_1.bin").is_file()


def read_cifar_python(folder: Path) -> RawData:
    """Reads ``data_batch_*`` and ``test_batch``.

    Raises:
        TrainingError: a file is missing or holds something else.
    """
    return _read(folder, "", _read_pickle)


def read_cifar_binary(folder: Path) -> RawData:
    """Reads ``data_batch_*.bin`` and ``test_batch.bin``; errors as ``read_cifar_python``."""
    return _read(folder, ".bin", _read_records)


_Batch = tuple[np.ndarray, np.ndarray]  # (n, 3072) uint8, (n,) labels


def _read(folder: Path, suffix: str, read: Callable[[Path], _Batch]) -> RawData:
    batches = sorted(p for p in folder.glob(f"data_batch_*{suffix}") if p.stem[-1].isdigit())
    test = folder / f"test_batch{suffix}"
    if not test.is_file():
        raise TrainingError(f"{test}: no such file; it belongs to the training images beside it")
    return RawData(
        name="CIFAR-10",
        train=_half([read(path) for path in batches], folder),
        test=_half([read(test)], test),
        classes=_NAMES,
    )


def _half(batches: Sequence[_Batch], where: Path) -> Half:
    pixels, labels = (np.concatenate(parts) for parts in zip(*batches))
    return Half(pixels.reshape(-1, *_SHAPE), labels, str(where))


def _read_pickle(path: Path) -> _Batch:
    try:
        stored = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        pixels = np.asarray(stored[b"data"], np.uint8).reshape(-1, _PIXELS)
        return pixels, np.asarray(stored[b"labels"], np.int64)
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{path}: cannot be read: {error}; expected a batch of CIFAR-10's Python version"
        ) from error


class _ArraysOnly(pickle.Unpickler):
    """Loads arrays, and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("numpy") and name in ("_reconstruct", "ndarray", "dtype"):
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        if (module, name) == ("_codecs", "encode"):  # how Python 3 pickles bytes for Python 2
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds a {module}.{name}, which is not an array")


def _read_records(path: Path) -> _Batch:
    stored = np.frombuffer(path.read_bytes(), np.uint8)
    if not stored.size or stored.size % (1 + _PIXELS):
        raise TrainingError(
            f"{path}: {stored.size:,} bytes are not a whole number of records of {1 + _PIXELS} "
            "bytes; expected a batch of CIFAR-10's binary version"
        )
    records = stored.reshape(-1, 1 + _PIXELS)
    return records[:, 1:], records[:, 0].astype(np.int64)
