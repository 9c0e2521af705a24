"""Normalisations."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from tests.importing.idioms.idiom import idiom


class LayerNorm2d(nn.LayerNorm):
    def forward(self, x):
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias)
        return x.permute(0, 3, 1, 2)


class ChannelNorm(nn.Module):
    """ConvNeXt's other form, by mean and variance over channels."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))

    def forward(self, x):
        u = x.mean(1, keepdim=True)
        x = (x - u) / torch.sqrt((x - u).pow(2).mean(1, keepdim=True) + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(16))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class GlobalResponse(nn.Module):
    def __init__(self):
        super().__init__()
        self.gamma = nn.Parameter(torch.randn(1, 1, 1, 8))

    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        norm = torch.norm(x, p=2, dim=(1, 2), keepdim=True)
        return (self.gamma * (x * norm / (norm.mean(-1, keepdim=True) + 1e-6)) + x).permute(
            0, 3, 1, 2
        )


IDIOMS = {
    "GroupNorm": idiom(lambda: nn.GroupNorm(4, 8)),
    "InstanceNorm": idiom(lambda: nn.InstanceNorm2d(8, affine=True)),
    "InstanceNorm plain": idiom(lambda: nn.InstanceNorm2d(8)),
    "InstanceNorm tracking": idiom(lambda: nn.InstanceNorm2d(8, track_running_stats=True)),
    "BatchNorm1d": idiom(lambda: nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8)), (3, 16)),
    "LayerNorm": idiom(lambda: nn.LayerNorm(16), (2, 5, 16)),
    "LayerNorm2d": idiom(lambda: LayerNorm2d(8)),
    "LayerNorm of channels": idiom(ChannelNorm),
    "RMSNorm": idiom(RmsNorm, (2, 5, 16)),
    "RMSNorm layer": idiom(lambda: nn.RMSNorm(16, eps=1e-5), (2, 5, 16)),
    "GlobalResponseNorm": idiom(GlobalResponse),
    "LocalResponseNorm": idiom(lambda: nn.LocalResponseNorm(5)),
    "normalize": idiom(lambda x: F.normalize(x, p=2, dim=1)),
    "cosine similarity": idiom(lambda a, b: F.cosine_similarity(a, b), (3, 16), (3, 16)),
}
