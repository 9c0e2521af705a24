"""Writes small data sets in every form."""

import gzip
import io
import pickle
from pathlib import Path

import numpy as np
from PIL import Image


def pictures(count: int, seed: int, size: int = 32) -> np.ndarray:
    """Draws smooth images, which survive JPEG: (count, 3, size, size) uint8."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 256, (count, 2, 2, 3), dtype=np.uint8)
    scaled = [Image.fromarray(c).resize((size, size), Image.Resampling.BILINEAR) for c in corners]
    return np.stack([np.asarray(image).transpose(2, 0, 1) for image in scaled])


def labels_of(count: int) -> np.ndarray:
    return np.arange(count) % 10


def jpeg(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(file, "JPEG", quality=95)
    return file.getvalue()


def write_jpeg_npz(folder: Path, prefix: str = "cifar10") -> None:
    for half, count, seed in (("train", 20, 1), ("test", 10, 2)):
        files = [jpeg(image) for image in pictures(count, seed)]
        np.savez(
            folder / f"{prefix}_{half}_jpeg.npz",
            data=np.frombuffer(b"".join(files), np.uint8),
            offsets=np.cumsum([0, *map(len, files)]),
            labels=labels_of(count).astype(np.uint8),
            classes=np.array(list("abcdefghij")),
        )


def write_cifar_python(folder: Path) -> None:
    for name, count, seed in (("data_batch_1", 8, 1), ("data_batch_2", 4, 2), ("test_batch", 6, 3)):
        stored = {
            b"data": pictures(count, seed).reshape(count, -1),
            b"labels": labels_of(count).tolist(),
            b"batch_label": b"made",
        }
        (folder / name).write_bytes(pickle.dumps(stored, protocol=2))
    (folder / "batches.meta").write_bytes(b"not read")


def write_cifar_binary(folder: Path) -> None:
    for name, count, seed in (("data_batch_1", 8, 1), ("data_batch_2", 4, 2), ("test_batch", 6, 3)):
        labels = labels_of(count).astype(np.uint8)[:, None]
        records = np.hstack([labels, pictures(count, seed).reshape(count, -1)])
        (folder / f"{name}.bin").write_bytes(records.tobytes())


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_mnist(folder: Path, *, packed: bool = False) -> None:
    for prefix, count, seed in (("train", 20, 1), ("t10k", 10, 2)):
        images = pictures(count, seed, 28)[:, 0]
        files = {
            "images-idx3-ubyte": idx(images),
            "labels-idx1-ubyte": idx(labels_of(count).astype(np.uint8)),
        }
        for kind, stored in files.items():
            name = f"{prefix}-{kind}{'.gz' if packed else ''}"
            (folder / name).write_bytes(gzip.compress(stored) if packed else stored)


def write_folders(folder: Path, size: int = 32, test: str = "test") -> None:
    for half, count in (("train", 4), (test, 2)):
        for seed, name in enumerate(("cat", "dog")):
            place = folder / half / name
            place.mkdir(parents=True)
            for i, image in enumerate(pictures(count, seed, size)):
                Image.fromarray(image.transpose(1, 2, 0)).save(place / f"{i}.png")
