"""Images read from their files when they are needed, by the usual ImageNet recipe.

For training a random part of 8 to 100 % of the image, of proportions 3:4 to 4:3, scaled to
the size and mirrored half of the time (Szegedy et al. 2014); for testing the shorter side
scaled to 8/7 of the size, and the middle of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.data.decoding import open_image
from tvm_patdnn.training.data.source import ImageSource

__all__ = ["TEST_SHARE", "FileImages", "central_box", "random_box"]

Box = tuple[float, float, float, float]

_AREA = (0.08, 1.0)
_PROPORTIONS = (3 / 4, 4 / 3)
_TRIES = 10
TEST_SHARE = 7 / 8  # 224 of 256
_READERS = 4


class FileImages(ImageSource):
    """See the module's description.

    Args:
        paths: image files.
        labels: of each.
        size: height and width of what ``batch`` gives.
        flip: whether half of the training images are mirrored.
    """

    def __init__(
        self, paths: Sequence[Path], labels: Sequence[int], size: int, *, flip: bool = True
    ) -> None:
        if size < 8:
            raise TrainingError(f"image size {size}: expected at least 8 pixels")
        self.paths = tuple(paths)
        self.labels = torch.tensor(labels, dtype=torch.int64)
        self.shape = (3, size, size)
        self._flip = flip

    def batch(self, indices: Tensor, draw: torch.Generator | None = None) -> Tensor:
        """Reads images: (n, 3, size, size) uint8, varied with ``draw``."""
        paths = [self.paths[i] for i in indices.tolist()]
        seeds = [None] * len(paths) if draw is None else _seeds(len(paths), draw)
        with ThreadPoolExecutor(_READERS) as readers:
            return torch.from_numpy(np.stack(list(readers.map(self._read, paths, seeds))))

    def to(self, device: torch.device) -> FileImages:
        """Returns itself: the images stay in their files."""
        return self

    def chosen(self, indices: Tensor) -> FileImages:
        """Returns only the images at ``indices``."""
        paths = [self.paths[i] for i in indices.tolist()]
        labels: list[int] = self.labels[indices].tolist()
        return FileImages(paths, labels, self.shape[1], flip=self._flip)

    def _read(self, path: Path, seed: int | None) -> np.ndarray:
        size = self.shape[1]
        image = open_image(path, str(path))
        rng = None if seed is None else np.random.default_rng(seed)
        box = central_box(*image.size) if rng is None else random_box(*image.size, rng)
        image = image.resize((size, size), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
        pixels = np.asarray(image).transpose(2, 0, 1)
        return (
            pixels[:, :, ::-1] if rng is not None and self._flip and rng.random() < 0.5 else pixels
        )


def central_box(width: int, height: int) -> Box:
    """Returns the middle square, of 7/8 of the shorter side: left, top, right, bottom."""
    side = min(width, height) * TEST_SHARE
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def random_box(width: int, height: int, rng: np.random.Generator) -> Box:
    """Draws a part of an image; the middle square where ten tries do not fit into it."""
    for _ in range(_TRIES):
        area = width * height * rng.uniform(*_AREA)
        ratio = math.exp(rng.uniform(math.log(_PROPORTIONS[0]), math.log(_PROPORTIONS[1])))
        across, down = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if across <= width and down <= height:
            left, top = rng.uniform(0, width - across), rng.uniform(0, height - down)
            return left, top, left + across, top + down
    side = float(min(width, height))
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _seeds(count: int, draw: torch.Generator) -> list[int]:
    seeds: list[int] = torch.randint(2**62, (count,), generator=draw).tolist()
    return seeds
