"""A data set as its file holds it, before it becomes tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tvm_patdnn.errors import TrainingError

__all__ = ["Half", "RawData"]


class Half(NamedTuple):
    """Training or test images.

    Attributes:
        images: (n, c, h, w) uint8.
        labels: (n,) integers.
        where: the file or folder, for messages.
    """

    images: np.ndarray
    labels: np.ndarray
    where: str


@dataclass(frozen=True, kw_only=True, eq=False)
class RawData:
    """Both halves.

    Attributes:
        name: of the data set.
        classes: names, in the order of the labels.
        flip: whether a mirrored image is as good.
        padding: of the random crops.
    """

    name: str
    train: Half
    test: Half
    classes: tuple[str, ...]
    flip: bool = True
    padding: int = 4

    def __post_init__(self) -> None:
        for half in (self.train, self.test):
            if len(half.images) != len(half.labels):
                raise TrainingError(
                    f"{half.where}: {len(half.images)} images, but {len(half.labels)} labels"
                )
            if not len(half.images):
                raise TrainingError(f"{half.where}: there are no images")
