"""Convolutions: padded, in groups, transposed, with weights that are computed."""

from __future__ import annotations

import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from tests.importing.idioms.idiom import conv_bn, idiom


class StandardisedConv(nn.Conv2d):
    def forward(self, x):
        mean = self.weight.mean(dim=(1, 2, 3), keepdim=True)
        std = self.weight.std(dim=(1, 2, 3), keepdim=True)
        return F.conv2d(x, (self.weight - mean) / (std + 1e-5), self.bias, padding=1)


def _spectral():
    conv = parametrizations.spectral_norm(nn.Conv2d(8, 8, 3, padding=1))
    conv.eval()
    return parametrize.remove_parametrizations(conv, "weight")


def _same(x):
    """Padding by the input's own shape, as TensorFlow's "same" does."""
    h, w = x.shape[-2:]
    dy, dx = max((-(h // -2) - 1) * 2 + 3 - h, 0), max((-(w // -2) - 1) * 2 + 3 - w, 0)
    return F.avg_pool2d(F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2]), 3, 2)


def _conv(*sizes, kind=nn.Conv2d, **options):
    return lambda: kind(*sizes, **options)


def _up(*sizes, **options):
    return _conv(*sizes, kind=nn.ConvTranspose2d, **options)


IDIOMS = {
    "padding same": idiom(_conv(8, 6, 4, padding="same")),
    "padding reflect": idiom(_conv(8, 6, 3, padding=2, padding_mode="reflect")),
    "padding replicate": idiom(_conv(8, 6, 3, padding=1, padding_mode="replicate")),
    "padding circular": idiom(_conv(8, 6, 5, padding=2, padding_mode="circular")),
    "ReflectionPad2d": idiom(lambda: nn.ReflectionPad2d((3, 2, 1, 4))),
    "pad by shape": idiom(_same),
    "pad negative": idiom(lambda x: F.pad(x, [-1, 2, 3, -2], value=0.5)),
    "convolution dilated in groups": idiom(_conv(8, 12, 3, groups=4, dilation=2, stride=2)),
    "convolution one-dimensional": idiom(_conv(4, 6, 5, kind=nn.Conv1d, stride=2), (2, 4, 31)),
    "convolution of volumes": idiom(_conv(2, 3, 3, kind=nn.Conv3d, padding=1), (1, 2, 5, 6, 7)),
    "depth-wise separable": idiom(
        lambda: nn.Sequential(conv_bn(8, 8, groups=8, stride=2), conv_bn(8, 16, 1))
    ),
    "transposed": idiom(_up(8, 6, 4, stride=2, padding=1)),
    "transposed output_padding": idiom(_up(8, 6, 3, stride=2, padding=1, output_padding=1)),
    "transposed cut": idiom(_up(8, 6, 4, stride=2, padding=3)),
    "transposed groups": idiom(_up(8, 12, 3, stride=2, groups=4, bias=False)),
    "transposed dilation": idiom(_up(8, 6, 3, stride=3, dilation=2, padding=(2, 1))),
    "transposed depth-wise": idiom(_up(8, 8, 4, stride=2, padding=1, groups=8)),
    "transposed one-dimensional": idiom(
        _conv(4, 6, 4, kind=nn.ConvTranspose1d, stride=2, padding=1), (1, 4, 17)
    ),
    "weight standardisation": idiom(_conv(8, 6, 3, kind=StandardisedConv)),
    "spectral norm removed": idiom(_spectral),
}
