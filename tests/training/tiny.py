"""A network and a data set small enough to train in a test."""

import numpy as np
import torch
from torch import Tensor, nn

from tvm_patdnn.training.data.augment import Augmentation
from tvm_patdnn.training.data.images import DataSet, MemoryImages

CLASSES = ("red", "green", "blue")
SIZE = 8


class TinyNet(nn.Module):
    """A first layer, a 3x3, a residual pair, a depthwise and a 1x1, each with batch norm."""

    def __init__(self, num_classes: int = 3, width: int = 8) -> None:
        super().__init__()
        self.first = _layer(3, width)
        self.second = _layer(width, 2 * width)
        self.inner = _layer(2 * width, 2 * width)
        self.outer = _layer(2 * width, 2 * width)
        self.depthwise = _layer(2 * width, 2 * width, groups=2 * width)
        self.pointwise = _layer(2 * width, 2 * width, size=1)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(2 * width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x))
        x = x + self.outer(self.inner(x))
        x = self.pointwise(self.depthwise(x))
        return self.head(self.drop(x).mean(dim=(2, 3)))


def _layer(in_c: int, out_c: int, size: int = 3, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(in_c, out_c, size, padding=size // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_c), nn.ReLU())


def tiny_net(num_classes: int = 3) -> nn.Module:
    return TinyNet(num_classes)


def wider_net(num_classes: int = 3) -> nn.Module:
    return TinyNet(num_classes, width=12)


def sure_net(num_classes: int = 3) -> nn.Module:
    """Nothing in it is random but its first weights."""
    net = TinyNet(num_classes)
    net.drop = nn.Identity()
    return net


def plain_net() -> nn.Module:
    """Two 3x3 layers and a linear one, which every pass can trace."""
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)),
    )


def no_module() -> str:
    return "a network"


def made_images(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws noise in which one channel is brighter, that of the label."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    images = rng.integers(0, 140, (count, 3, SIZE, SIZE), dtype=np.uint8)
    images[np.arange(count), labels] += 70
    return images, labels


def made_data(train: int = 96, test: int = 60) -> DataSet:
    varied = Augmentation(padding=1, flip=True)
    halves = [
        MemoryImages.of_arrays(*made_images(count, seed), varied, where="made")
        for count, seed in ((train, 1), (test, 2))
    ]
    return DataSet(
        name="made",
        train=halves[0],
        test=halves[1],
        classes=CLASSES,
        mean=(0.35,) * 3,
        std=(0.2,) * 3,
    )


def example(count: int = 2) -> Tensor:
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(5))
