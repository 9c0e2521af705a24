"""Random crops and flips of whole batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Augmentation", "Crops", "draw_crops", "take_crops"]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How small images are varied: the usual crop of a padded image, and mirroring.

    Attributes:
        padding: black pixels added on every side before the crop.
        flip: whether half of the images are mirrored; not for digits.
    """

    padding: int = 0
    flip: bool = False


class Crops(NamedTuple):
    """Where each image of a batch is cut out of its padded form: all (n,) on the CPU."""

    y: Tensor
    x: Tensor
    flipped: Tensor


def draw_crops(count: int, augmentation: Augmentation, draw: torch.Generator) -> Crops:
    """Draws places of crops, and which are mirrored."""
    span = 2 * augmentation.padding + 1
    y, x = torch.randint(span, (2, count), generator=draw)
    flipped = torch.rand(count, generator=draw) < 0.5
    return Crops(y, x, flipped & augmentation.flip)


def take_crops(images: Tensor, indices: Tensor, crops: Crops, padding: int) -> Tensor:
    """Cuts the crops out.

    Args:
        images: (n, c, h, w), not padded.
        indices: (k,) which images, on the device of ``images``.
        crops: k places.
        padding: black pixels on every side.

    Returns:
        (k, c, h, w) of the same dtype.
    """
    height, width = images.shape[2:]
    chosen = torch.nn.functional.pad(images[indices], (padding,) * 4)
    y, x, flipped = (value.to(images.device)[:, None] for value in crops)
    across = torch.arange(width, device=images.device)
    rows = y + torch.arange(height, device=images.device)
    columns = x + torch.where(flipped, width - 1 - across, across)
    which = torch.arange(len(indices), device=images.device)
    return chosen.movedim(1, -1)[
        which[:, None, None], rows[:, :, None], columns[:, None, :]
    ].movedim(-1, 1)
