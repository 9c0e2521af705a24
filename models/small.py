"""VGG-style networks for 32x32 images, small enough to be trained on a CPU."""

from __future__ import annotations

from torch import nn

from models.layers import conv_bn, initialise

__all__ = ["small_vgg", "small_vgg_wide"]


def small_vgg(num_classes: int = 10, width: int = 32) -> nn.Sequential:
    """Returns six 3x3 convolutions with batch norm in three stages, and a linear layer.

    288,746 parameters at width 32 for 10 classes.

    Args:
        num_classes: outputs.
        width: channels of the first stage; they double per stage.
    """
    stages: list[nn.Module] = []
    in_c = 3
    for out_c in (width, 2 * width, 4 * width):
        stages += [conv_bn(in_c, out_c, 3), conv_bn(out_c, out_c, 3), nn.MaxPool2d(2)]
        in_c = out_c
    network = nn.Sequential(
        *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(in_c, num_classes)
    )
    initialise(network)
    return network


def small_vgg_wide(num_classes: int = 10) -> nn.Sequential:
    """Returns :func:`small_vgg` at width 64: four times its weights, 1,148,874 for 10 classes."""
    return small_vgg(num_classes, width=64)
