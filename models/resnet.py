"""ResNet (He et al., 2015, arXiv 1512.03385), for ImageNet and for CIFAR."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from models.layers import conv_bn, initialise

__all__ = ["BasicBlock", "Bottleneck", "ResNet", "resnet18", "resnet20", "resnet34", "resnet50"]


class _Residual(nn.Module):
    """``relu(body(x) + shortcut(x))``; the shortcut is a 1x1 where shapes differ."""

    def __init__(self, body: nn.Sequential, in_c: int, out_c: int, stride: int) -> None:
        super().__init__()
        self.body = body
        same = stride == 1 and in_c == out_c
        self.shortcut = (
            nn.Identity() if same else conv_bn(in_c, out_c, 1, stride=stride, activation=None)
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.relu(self.body(x) + self.shortcut(x))
        return y


class BasicBlock(_Residual):
    """Two 3x3 convolutions."""

    expansion = 1

    def __init__(self, in_c: int, width: int, stride: int) -> None:
        """Creates the layers; ``width`` is that of the 3x3 convolutions."""
        first = conv_bn(in_c, width, 3, stride=stride)
        body = nn.Sequential(first, conv_bn(width, width, 3, activation=None))
        super().__init__(body, in_c, width, stride)


class Bottleneck(_Residual):
    """1x1, 3x3 (with the stride) and 1x1 to four times the width."""

    expansion = 4

    def __init__(self, in_c: int, width: int, stride: int) -> None:
        """Creates the layers; ``width`` is that of the 3x3 convolutions."""
        out_c = width * self.expansion
        reduce, middle = conv_bn(in_c, width, 1), conv_bn(width, width, 3, stride=stride)
        body = nn.Sequential(reduce, middle, conv_bn(width, out_c, 1, activation=None))
        super().__init__(body, in_c, out_c, stride)


class ResNet(nn.Module):
    """A residual network.

    Args:
        block: :class:`BasicBlock` or :class:`Bottleneck`.
        depths: blocks in each stage; every stage but the first halves the image.
        stem: the layers before the first stage.
        width: channels of the first stage and of the stem's output; they double per stage.
        num_classes: outputs.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: Sequence[int],
        *,
        stem: nn.Module,
        width: int,
        num_classes: int,
    ) -> None:
        """Creates the layers."""
        super().__init__()
        self.stem = stem
        stages: list[nn.Module] = []
        in_c = width
        for stage, depth in enumerate(depths):
            blocks: list[nn.Module] = []
            for index in range(depth):
                blocks.append(block(in_c, width << stage, 2 if stage and not index else 1))
                in_c = (width << stage) * block.expansion
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(in_c, num_classes)
        )
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (n, 3, h, w) to scores (n, num_classes)."""
        scores: Tensor = self.head(self.stages(self.stem(x)))
        return scores


def _imagenet(
    block: type[BasicBlock] | type[Bottleneck], depths: Sequence[int], num_classes: int
) -> ResNet:
    stem = nn.Sequential(conv_bn(3, 64, 7, stride=2), nn.MaxPool2d(3, 2, 1))
    return ResNet(block, depths, stem=stem, width=64, num_classes=num_classes)


def resnet18(num_classes: int = 1000) -> ResNet:
    """Returns ResNet-18: 11,689,512 parameters for 1000 classes."""
    return _imagenet(BasicBlock, (2, 2, 2, 2), num_classes)


def resnet34(num_classes: int = 1000) -> ResNet:
    """Returns ResNet-34: 21,797,672 parameters for 1000 classes."""
    return _imagenet(BasicBlock, (3, 4, 6, 3), num_classes)


def resnet50(num_classes: int = 1000) -> ResNet:
    """Returns ResNet-50 with the stride in the 3x3: 25,557,032 parameters."""
    return _imagenet(Bottleneck, (3, 4, 6, 3), num_classes)


def resnet20(num_classes: int = 10, width: int = 16) -> ResNet:
    """Returns ResNet-20 for 32x32 images (section 4.2 of the paper).

    Shortcuts that change shape are 1x1 convolutions (option B), 272,474 parameters; the
    paper's CIFAR networks pad with zero channels (option A), 269,722.
    """
    stem = conv_bn(3, width, 3)
    return ResNet(BasicBlock, (3, 3, 3), stem=stem, width=width, num_classes=num_classes)
