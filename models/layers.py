"""Building blocks and initialisation shared by the networks."""

from __future__ import annotations

from torch import nn

__all__ = ["conv_bn", "initialise"]


def conv_bn(
    in_c: int,
    out_c: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """Returns convolution ("same" padding), batch norm and activation (None for none)."""
    conv = nn.Conv2d(in_c, out_c, kernel, stride, kernel // 2, groups=groups, bias=False)
    layers: list[nn.Module] = [conv, nn.BatchNorm2d(out_c)]
    if activation is not None:
        layers.append(activation(inplace=True))
    return nn.Sequential(*layers)


def initialise(module: nn.Module) -> None:
    """Draws weights that keep the scale of activations (He et al., 2015).

    Biases are small but not zero, so that a path that loses them shows.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        elif isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="linear")
        else:
            continue
        if layer.bias is not None:
            nn.init.uniform_(layer.bias, -0.05, 0.05)
