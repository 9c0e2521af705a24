"""VGG (Simonyan and Zisserman, 2014, arXiv 1409.1556)."""

from __future__ import annotations

from torch import Tensor, nn

from models.layers import initialise

__all__ = ["VGG16_WIDTHS", "Vgg", "vgg16", "vgg16_bn", "vgg16_features", "vgg_features"]

#: Output channels of the 3x3 convolutions; "M" is a 2x2 max pooling.
VGG16_WIDTHS: tuple[int | str, ...] = (
    *(64, 64, "M", 128, 128, "M", 256, 256, 256, "M"),
    *(512, 512, 512, "M", 512, 512, 512, "M"),
)


class Vgg(nn.Module):
    """A VGG: 3x3 convolutions and pooling, then three fully connected layers.

    Args:
        widths: as :data:`VGG16_WIDTHS`.
        num_classes: outputs.
        input_size: height and width of the image in pixels, a multiple of 32 for VGG-16.
        hidden: width of the fully connected layers.
        batch_norm: whether each convolution is followed by batch norm.
    """

    def __init__(
        self,
        widths: tuple[int | str, ...] = VGG16_WIDTHS,
        *,
        num_classes: int = 1000,
        input_size: int = 224,
        hidden: int = 4096,
        batch_norm: bool = False,
    ) -> None:
        """Creates the layers."""
        super().__init__()
        side = input_size // 2 ** widths.count("M")
        channels = [width for width in widths if isinstance(width, int)][-1]
        self.features = vgg_features(widths, batch_norm=batch_norm)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(channels * side * side, hidden), nn.ReLU(inplace=True), nn.Dropout()),
            *(nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Dropout()),
            nn.Linear(hidden, num_classes),
        )
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images (n, 3, input_size, input_size) to scores (n, num_classes)."""
        scores: Tensor = self.classifier(self.features(x))
        return scores


def vgg_features(
    widths: tuple[int | str, ...] = VGG16_WIDTHS, *, batch_norm: bool = False
) -> nn.Sequential:
    """Returns the convolutions and poolings of a VGG."""
    layers: list[nn.Module] = []
    in_c = 3
    for width in widths:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(2))
            continue
        layers.append(nn.Conv2d(in_c, width, 3, padding=1))
        layers += [nn.BatchNorm2d(width)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
        in_c = width
    return nn.Sequential(*layers)


def vgg16(num_classes: int = 1000, input_size: int = 224) -> Vgg:
    """Returns VGG-16 without batch norm: 138,357,544 parameters for 1000 classes."""
    return Vgg(num_classes=num_classes, input_size=input_size)


def vgg16_bn(num_classes: int = 1000, input_size: int = 224) -> Vgg:
    """Returns VGG-16 with batch norm."""
    return Vgg(num_classes=num_classes, input_size=input_size, batch_norm=True)


def vgg16_features(batch_norm: bool = False) -> nn.Sequential:
    """Returns the convolutional part of VGG-16, poolings included."""
    features = vgg_features(batch_norm=batch_norm)
    initialise(features)
    return features
