"""A small detector of the YOLO family: three strides, a head without anchors.

Its head gives each side of a box as a distribution over 16 distances, whose expectation a 1x1
convolution with the fixed weights 0, 1, ... 15 computes (Li et al., "Generalized Focal Loss",
NeurIPS 2020).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from models.layers import conv_bn, initialise

__all__ = ["Detector", "small_detector"]

_DISTANCES = 16
_SIDES = 4


class _Stage(nn.Module):
    """Halves the image, then two 3x3 convolutions beside a shortcut."""

    def __init__(self, in_c: int, out_c: int) -> None:
        super().__init__()
        self.down = conv_bn(in_c, out_c, 3, stride=2, activation=nn.SiLU)
        self.first = conv_bn(out_c, out_c, 3, activation=nn.SiLU)
        self.second = conv_bn(out_c, out_c, 3, activation=nn.SiLU)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        y: Tensor = x + self.second(self.first(x))
        return y


class _Head(nn.Module):
    """Boxes and classes of each position of three planes."""

    def __init__(self, widths: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.boxes = nn.ModuleList(_branch(width, _SIDES * _DISTANCES) for width in widths)
        self.classes = nn.ModuleList(_branch(width, classes) for width in widths)
        self.integral = nn.Conv2d(_DISTANCES, 1, 1, bias=False)

    def forward(self, planes: list[Tensor]) -> Tensor:
        boxes = [each(x).flatten(2) for each, x in zip(self.boxes, planes)]
        scores = [each(x).flatten(2) for each, x in zip(self.classes, planes)]
        sides = torch.cat(boxes, 2)
        batch, _, positions = sides.shape
        shares = sides.reshape(batch, _SIDES, _DISTANCES, positions).transpose(1, 2).softmax(1)
        distances = self.integral(shares).reshape(batch, _SIDES, positions)
        return torch.cat([distances, torch.cat(scores, 2).sigmoid()], 1)


class Detector(nn.Module):
    """Gives (n, 4 + classes, positions): distances to the sides in strides, and class scores.

    Args:
        classes: to tell apart.
        width: channels of the first stage; they double per stage.
    """

    def __init__(self, classes: int = 20, width: int = 16) -> None:
        super().__init__()
        widths = tuple(width * 2**i for i in range(5))
        self.stem = conv_bn(3, widths[0], 3, stride=2, activation=nn.SiLU)
        self.stages = nn.ModuleList(_Stage(a, b) for a, b in pairwise(widths))
        self.head = _Head(widths[2:], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Detects in images of (n, 3, height, width), multiples of 32."""
        x = self.stem(x)
        planes = []
        for stage in self.stages:
            x = stage(x)
            planes.append(x)
        found: Tensor = self.head(planes[1:])
        return found


def small_detector(num_classes: int = 20) -> Detector:
    """Returns a :class:`Detector` of strides 8, 16 and 32, 3.5 million parameters."""
    network = Detector(num_classes)
    initialise(network)
    with torch.no_grad():
        table = torch.arange(float(_DISTANCES)).reshape(1, _DISTANCES, 1, 1)
        network.head.integral.weight.copy_(table).requires_grad_(False)
    return network


def _branch(in_c: int, out_c: int) -> nn.Sequential:
    return nn.Sequential(conv_bn(in_c, in_c, 3, activation=nn.SiLU), nn.Conv2d(in_c, out_c, 1))
