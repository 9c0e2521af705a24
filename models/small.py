"""VGG-style networks for 32x32 images, small enough to be trained on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from models.layers import conv_bn, initialise

__all__ = ["small_vgg", "small_vgg_deep", "small_vgg_wide"]


def small_vgg(num_classes: int = 10, width: int = 32) -> nn.Sequential:
    """Returns six 3x3 convolutions in three stages: 288,746 parameters at width 32.

    Args:
        num_classes: outputs.
        width: channels of the first stage; they double per stage.
    """
    return _staged([(width * scale,) * 2 for scale in (1, 2, 4)], num_classes)


def small_vgg_wide(num_classes: int = 10) -> nn.Sequential:
    """Returns :func:`small_vgg` at width 64: four times its weights, 1,148,874 for 10 classes."""
    return small_vgg(num_classes, width=64)


def small_vgg_deep(num_classes: int = 10) -> nn.Sequential:
    """Returns four stages as those of VGG-11 at half their width: 1,129,514 parameters.

    Four times the weights of :func:`small_vgg` at nearly its cost, since most of them work
    on small images.
    """
    return _staged([(32,), (64,), (128, 128), (256, 256)], num_classes)


def _staged(stages: Sequence[Sequence[int]], num_classes: int) -> nn.Sequential:
    """Returns convolutions with batch norm, a pooling after each stage, and a linear layer.

    Args:
        stages: the output channels of every stage's 3x3 convolutions.
        num_classes: outputs.
    """
    layers: list[nn.Module] = []
    in_c = 3
    for stage in stages:
        for out_c in stage:
            layers.append(conv_bn(in_c, out_c, 3))
            in_c = out_c
        layers.append(nn.MaxPool2d(2))
    network = nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(in_c, num_classes)
    )
    initialise(network)
    return network
