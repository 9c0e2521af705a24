"""MobileNetV2 (Sandler et al., 2018, arXiv 1801.04381)."""

from __future__ import annotations

from torch import Tensor, nn

from models.layers import conv_bn, initialise

__all__ = ["MobileNetV2", "mobilenet_v2"]

#: Expansion, output channels, repeats and stride of the first repeat (table 2).
_STAGES = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)


class InvertedResidual(nn.Module):
    """1x1 to a wider block, depthwise 3x3, 1x1 back without activation."""

    def __init__(self, in_c: int, out_c: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_c * expansion
        widen = [conv_bn(in_c, hidden, 1, activation=nn.ReLU6)] if expansion > 1 else []
        self.body = nn.Sequential(
            *widen,
            conv_bn(hidden, hidden, 3, stride=stride, groups=hidden, activation=nn.ReLU6),
            conv_bn(hidden, out_c, 1, activation=None),
        )
        self.residual = stride == 1 and in_c == out_c

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """The network of table 2 at width 1."""

    def __init__(self, num_classes: int = 1000) -> None:
        """Creates the layers."""
        super().__init__()
        blocks: list[nn.Module] = [conv_bn(3, 32, 3, stride=2, activation=nn.ReLU6)]
        in_c = 32
        for expansion, out_c, repeats, stride in _STAGES:
            for index in range(repeats):
                step = stride if index == 0 else 1
                blocks.append(InvertedResidual(in_c, out_c, step, expansion))
                in_c = out_c
        blocks.append(conv_bn(in_c, 1280, 1, activation=nn.ReLU6))
        self.features = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, num_classes)
        )
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (n, 3, h, w) to scores (n, num_classes)."""
        scores: Tensor = self.head(self.features(x))
        return scores


def mobilenet_v2(num_classes: int = 1000) -> MobileNetV2:
    """Returns MobileNetV2: 3,504,872 parameters for 1000 classes."""
    return MobileNetV2(num_classes)
