"""A usual way to write a part of a network, and how to feed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

__all__ = ["Idiom", "Lambda", "conv_bn", "idiom"]


@dataclass(frozen=True, kw_only=True)
class Idiom:
    """A usual way to write a part of a network.

    Attributes:
        make: the network.
        shapes: of its inputs, float32.
    """

    make: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]

    def network(self) -> nn.Module:
        """The network in eval mode, with weights and statistics that are not the neutral ones."""
        torch.manual_seed(0)
        made = self.make().eval()
        for name, value in [*made.named_parameters(), *made.named_buffers()]:
            if value.ndim == 1 and value.is_floating_point():
                spread = torch.rand_like(value) + 0.5
                value.data = spread if name.endswith(("weight", "var")) else spread - 1
        return made

    def inputs(self) -> tuple[torch.Tensor, ...]:
        """Values from -2 to 2 or so, the same each time."""
        generator = torch.Generator().manual_seed(1)
        return tuple(torch.randn(shape, generator=generator) for shape in self.shapes)


class Lambda(nn.Module):
    """A function as a network."""

    def __init__(self, function: Callable):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def idiom(make: Callable, *shapes: tuple[int, ...]) -> Idiom:
    """An idiom from a class or factory of networks, or from a function of tensors."""
    is_factory = isinstance(make, type) or make.__code__.co_argcount == 0
    return Idiom(
        make=make if is_factory else lambda: Lambda(make),
        shapes=shapes or ((1, 8, 13, 11),),
    )


def conv_bn(ins: int, outs: int, kernel: int = 3, act: type = nn.ReLU, **options) -> nn.Module:
    """A convolution, batch normalisation and an activation."""
    options = {"padding": kernel // 2, "bias": False} | options
    return nn.Sequential(nn.Conv2d(ins, outs, kernel, **options), nn.BatchNorm2d(outs), act())
