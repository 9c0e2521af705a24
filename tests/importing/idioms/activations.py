"""Activations after a convolution, and pooling."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from tests.importing.idioms.idiom import Lambda, conv_bn, idiom


def _after(act):
    return lambda: nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), act)


def _tanh_gelu(x):
    return 0.5 * x * (1 + torch.tanh(0.7978845608 * (x + 0.044715 * torch.pow(x, 3))))


IDIOMS = {
    "GELU": idiom(_after(nn.GELU())),
    "GELU tanh": idiom(_after(nn.GELU(approximate="tanh"))),
    "GELU by hand": idiom(_after(Lambda(_tanh_gelu))),
    "quick GELU": idiom(_after(Lambda(lambda x: x * torch.sigmoid(1.702 * x)))),
    "Hardswish": idiom(_after(nn.Hardswish())),
    "h-swish by ReLU6": idiom(_after(Lambda(lambda x: x * F.relu6(x + 3) / 6))),
    "Hardsigmoid": idiom(_after(nn.Hardsigmoid())),
    "Mish": idiom(_after(nn.Mish())),
    "SiLU": idiom(_after(nn.SiLU(inplace=True))),
    "PReLU": idiom(_after(nn.PReLU(8))),
    "ELU": idiom(_after(nn.ELU(0.7))),
    "CELU": idiom(_after(nn.CELU(1.3))),
    "SELU": idiom(_after(nn.SELU())),
    "Softplus": idiom(_after(nn.Softplus())),
    "Softplus beta": idiom(_after(nn.Softplus(beta=2, threshold=20))),
    "Hardtanh": idiom(_after(nn.Hardtanh(-0.3, 0.4))),
    "LeakyReLU": idiom(_after(nn.LeakyReLU(0.1))),
    "GLU": idiom(lambda: nn.GLU(dim=1)),
    "Softsign and Tanhshrink": idiom(lambda x: (F.softsign(x), F.tanhshrink(x))),
    "LogSigmoid": idiom(lambda: nn.LogSigmoid()),
    "Hardshrink and Softshrink": idiom(lambda x: (F.hardshrink(x), F.softshrink(x))),
    "MaxPool ceil_mode": idiom(lambda: nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)),
    "MaxPool dilated": idiom(lambda: nn.MaxPool2d(3, 2, dilation=2)),
    "AvgPool ceil_mode": idiom(lambda: nn.AvgPool2d(3, 2, ceil_mode=True)),
    "AvgPool counts no padding": idiom(
        lambda: nn.AvgPool2d(3, 2, padding=1, count_include_pad=False)
    ),
    "AvgPool counts padding": idiom(lambda: nn.AvgPool2d(3, 2, padding=1, ceil_mode=True)),
    "AdaptiveAvgPool odd": idiom(lambda: nn.AdaptiveAvgPool2d((3, 2)), (1, 4, 7, 5)),
    "AdaptiveMaxPool": idiom(lambda: nn.AdaptiveMaxPool2d((3, 5)), (1, 8, 12, 10)),
    "LPPool": idiom(lambda: nn.LPPool2d(2, 3, stride=2)),
    "generalised mean": idiom(
        lambda x: F.avg_pool2d(x.clamp(min=1e-6).pow(3), x.shape[-2:]).pow(1.0 / 3)
    ),
    "classifier": idiom(
        lambda: nn.Sequential(
            conv_bn(8, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Dropout(), nn.Linear(8, 5)
        )
    ),
}
