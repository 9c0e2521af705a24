"""Images and labels, as a training loop takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.data.augment import Augmentation, Crops, draw_crops, take_crops
from tvm_patdnn.training.data.source import ImageSource

__all__ = ["DataSet", "MemoryImages"]


class MemoryImages(ImageSource):
    """Small images, decoded once.

    Args:
        images: (n, c, h, w) uint8.
        labels: (n,) any integer type.
        augmentation: what ``batch`` does to images when it is given a generator.
        where: for messages.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        augmentation: Augmentation | None = None,
        *,
        where: str = "images",
    ) -> None:
        if len(images) != len(labels):
            raise TrainingError(f"{where}: {len(images)} images, but {len(labels)} labels")
        if not len(images):
            raise TrainingError(f"{where}: there are no images")
        self.images = images
        self.labels = labels.long()
        self.shape = (images.shape[1], images.shape[2], images.shape[3])
        self.augmentation = augmentation or Augmentation()
        self._where = where

    @classmethod
    def of_arrays(
        cls, images: np.ndarray, labels: np.ndarray, augmentation: Augmentation, *, where: str
    ) -> MemoryImages:
        """Makes it from numpy arrays of the same shapes; see the class."""
        tensors = torch.from_numpy(np.array(images)), torch.from_numpy(np.array(labels, np.int64))
        return cls(*tensors, augmentation, where=where)

    def batch(self, indices: Tensor, draw: torch.Generator | None = None) -> Tensor:
        """Returns images (n, c, h, w) uint8, cropped and flipped at random with ``draw``."""
        if draw is None:
            return self.images[indices.to(self.images.device)]
        return self.cut(indices, draw_crops(len(indices), self.augmentation, draw))

    def cut(self, indices: Tensor, crops: Crops) -> Tensor:
        """Returns images (n, c, h, w) uint8, cut out where ``crops`` says."""
        on_device = indices.to(self.images.device)
        return take_crops(self.images, on_device, crops, self.augmentation.padding)

    def to(self, device: torch.device) -> MemoryImages:
        """Returns the same images on ``device``."""
        return self._with(self.images.to(device), self.labels)

    def chosen(self, indices: Tensor) -> MemoryImages:
        """Returns only the images at ``indices``."""
        return self._with(self.images[indices], self.labels[indices])

    def _with(self, images: Tensor, labels: Tensor) -> MemoryImages:
        return MemoryImages(images, labels, self.augmentation, where=self._where)


@dataclass(frozen=True, kw_only=True, eq=False)
class DataSet:
    """A data set with its two halves.

    Attributes:
        name: to be printed and stored with results.
        train, test: the images.
        classes: names, in the order of the labels.
        mean, std: of each channel of the training images, over 255.
    """

    name: str
    train: ImageSource
    test: ImageSource
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        for half in (self.train, self.test):
            low, high = int(half.labels.min()), int(half.labels.max())
            if low < 0 or high >= len(self.classes):
                raise TrainingError(
                    f"{self.name}: labels run from {low} to {high}, but there are "
                    f"{len(self.classes)} classes; expected 0 to {len(self.classes) - 1}"
                )
        if self.train.shape != self.test.shape:
            raise TrainingError(
                f"{self.name}: training images are {self.train.shape}, test images "
                f"{self.test.shape}; expected one size (c, h, w)"
            )

    def limited(self, train: int | None, test: int | None, seed: int = 0) -> DataSet:
        """Returns fewer images of each half; None for all."""
        return replace(
            self,
            train=self.train if train is None else self.train.first(train, seed),
            test=self.test if test is None else self.test.first(test, seed),
        )

    def to(self, device: torch.device) -> DataSet:
        """Returns the same data set with its images on ``device``, where that is possible."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))

    def normalise(self, images: Tensor, channels: int) -> Tensor:
        """Turns images of ``batch`` into what a network takes.

        Args:
            images: (n, c, h, w) uint8.
            channels: of the network; grey images are repeated.

        Returns:
            (n, channels, h, w) float32 with mean 0 and standard deviation 1.
        """
        mean, std = (_of_channels(values, images.device) for values in (self.mean, self.std))
        scaled = (images.float() / 255 - mean) / std
        return scaled if scaled.shape[1] == channels else scaled.expand(-1, channels, -1, -1)


@lru_cache(maxsize=16)
def _of_channels(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Returns one value a channel, (1, c, 1, 1), which a recorded step can use again."""
    return torch.tensor(values, device=device).reshape(1, -1, 1, 1)
