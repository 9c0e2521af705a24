"""What a training loop takes images from."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

__all__ = ["ImageSource"]


class ImageSource(ABC):
    """Some images with labels, in memory or in files.

    Attributes:
        labels: (n,) int64, on the CPU.
        shape: (c, h, w) of what ``batch`` gives.
    """

    labels: Tensor
    shape: tuple[int, int, int]

    @abstractmethod
    def batch(self, indices: Tensor, draw: torch.Generator | None = None) -> Tensor:
        """Returns the images at ``indices``: (n, c, h, w) uint8.

        Args:
            indices: (n,) int64 on the CPU.
            draw: draws how they are varied; None for not at all.
        """

    @abstractmethod
    def to(self, device: torch.device) -> ImageSource:
        """Returns the same images, kept on ``device`` where that is possible."""

    @abstractmethod
    def chosen(self, indices: Tensor) -> ImageSource:
        """Returns only the images at ``indices``."""

    def first(self, count: int, seed: int) -> ImageSource:
        """Returns ``count`` of the images, drawn without regard to their order."""
        draw = torch.Generator().manual_seed(seed)
        return self.chosen(torch.randperm(len(self.labels), generator=draw)[:count])
