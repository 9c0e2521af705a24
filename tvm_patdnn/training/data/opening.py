"""Opens a data set, whatever its form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.data.arrays import Half, RawData
from tvm_patdnn.training.data.augment import Augmentation
from tvm_patdnn.training.data.cifar import (
    is_cifar_binary,
    is_cifar_python,
    read_cifar_binary,
    read_cifar_python,
)
from tvm_patdnn.training.data.decoding import decode_all
from tvm_patdnn.training.data.file_images import FileImages
from tvm_patdnn.training.data.image_folder import FolderHalf, is_image_folder, list_images
from tvm_patdnn.training.data.images import DataSet, MemoryImages
from tvm_patdnn.training.data.jpeg_npz import is_jpeg_npz, read_jpeg_npz
from tvm_patdnn.training.data.mnist_idx import is_mnist, read_mnist

__all__ = ["open_data"]

_FORMS: tuple[tuple[Callable[[Path], bool], Callable[[Path], RawData]], ...] = (
    (is_jpeg_npz, read_jpeg_npz),
    (is_cifar_python, read_cifar_python),
    (is_cifar_binary, read_cifar_binary),
    (is_mnist, read_mnist),
)
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def open_data(folder: Path, *, image_size: int | None = None, flip: bool | None = None) -> DataSet:
    """Opens the data set in ``folder``.

    Args:
        folder: CIFAR-10 (Python or binary version), MNIST's four idx files, JPEG files in
            .npz, or folders of images.
        image_size: scales the images of folders to this size, by the recipe for ImageNet;
            None takes them as they are, which must be of one size.
        flip: whether training images are mirrored; None for what suits the data.

    Raises:
        TrainingError: there is no data set of a known form, or it is broken.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder; give the folder of a data set")
    for is_form, read in _FORMS:
        if is_form(folder):
            return _in_memory(read(folder), flip)
    if is_image_folder(folder):
        return _of_folders(folder, image_size, flip)
    raise TrainingError(
        f"{folder}: does not hold a known data set; expected data_batch_1 (CIFAR-10 python), "
        "data_batch_1.bin (CIFAR-10 binary), train-images-idx3-ubyte (MNIST), "
        "*_train_jpeg.npz, or train/CLASS/ and test/CLASS/ with images"
    )


def _in_memory(raw: RawData, flip: bool | None) -> DataSet:
    augmentation = Augmentation(padding=raw.padding, flip=raw.flip if flip is None else flip)
    train, test = (
        MemoryImages.of_arrays(half.images, half.labels, augmentation, where=half.where)
        for half in (raw.train, raw.test)
    )
    mean, std = _statistics(raw.train.images)
    return DataSet(name=raw.name, train=train, test=test, classes=raw.classes, mean=mean, std=std)


def _of_folders(folder: Path, image_size: int | None, flip: bool | None) -> DataSet:
    *halves, classes = list_images(folder)
    name = folder.resolve().name
    if image_size is None:
        train, test = (_decoded(half) for half in halves)
        return _in_memory(RawData(name=name, train=train, test=test, classes=classes), flip)
    train_files, test_files = (
        FileImages(half.paths, half.labels, image_size, flip=flip is not False) for half in halves
    )
    return DataSet(
        name=name,
        train=train_files,
        test=test_files,
        classes=classes,
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
    )


def _decoded(half: FolderHalf) -> Half:
    images = decode_all((str(path), path) for path in half.paths)
    return Half(images, np.array(half.labels), str(half.where))


def _statistics(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation of each channel, over 255."""
    channels = images.swapaxes(0, 1).reshape(images.shape[1], -1)
    counts = [np.bincount(channel, minlength=256) for channel in channels]
    levels = np.arange(256) / 255
    mean = [float(count @ levels / count.sum()) for count in counts]
    square = [float(count @ levels**2 / count.sum()) for count in counts]
    std = [max((s - m * m) ** 0.5, 1e-3) for s, m in zip(square, mean)]
    return tuple(mean), tuple(std)
