"""Blocks made of convolutions, as classifiers and detectors have them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from tests.importing.idioms.idiom import conv_bn, idiom


class SqueezeExcite(nn.Module):
    def __init__(self, channels=8):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channels, 2), nn.ReLU(), nn.Linear(2, channels), nn.Sigmoid()
        )

    def forward(self, x):
        b, c, _, _ = x.size()
        return x * self.fc(self.pool(x).view(b, c)).view(b, c, 1, 1).expand_as(x)


class Cbam(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Sequential(nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 8, 1))
        self.spatial = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x):
        both = F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)
        x = x * torch.sigmoid(sum(self.shared(pooled) for pooled in both))
        planes = torch.cat([x.mean(1, keepdim=True), x.max(dim=1, keepdim=True)[0]], dim=1)
        return x * torch.sigmoid(self.spatial(planes))


class EfficientChannelAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv(x.mean((2, 3), keepdim=True).squeeze(-1).transpose(-1, -2))
        return x * torch.sigmoid(y.transpose(-1, -2).unsqueeze(-1)).expand_as(x)


class Shuffle(nn.Module):
    """ShuffleNet-V2's unit: half of the channels pass, then the halves are mixed."""

    def __init__(self):
        super().__init__()
        self.branch = nn.Sequential(conv_bn(4, 4, 1), conv_bn(4, 4, groups=4), conv_bn(4, 4, 1))

    def forward(self, x):
        kept, worked = x.chunk(2, dim=1)
        out = torch.cat([kept, self.branch(worked)], dim=1)
        b, c, h, w = out.shape
        return out.view(b, 2, c // 2, h, w).transpose(1, 2).contiguous().view(b, -1, h, w)


class InvertedResidual(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(8, 24, 1, nn.ReLU6),
            conv_bn(24, 24, act=nn.ReLU6, groups=24),
            conv_bn(24, 8, 1, nn.Identity),
        )

    def forward(self, x):
        return x + self.body(x)


class Focus(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = conv_bn(12, 8, act=nn.SiLU)

    def forward(self, x):
        parts = x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]
        return self.conv(torch.cat(parts, 1))


class Sppf(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = conv_bn(8, 4, 1, nn.SiLU), conv_bn(16, 8, 1, nn.SiLU)
        self.pool = nn.MaxPool2d(5, stride=1, padding=2)

    def forward(self, x):
        y = [self.first(x)]
        y.extend(self.pool(y[-1]) for _ in range(3))
        return self.last(torch.cat(y, 1))


class C2f(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = conv_bn(8, 8, 1, nn.SiLU), conv_bn(16, 8, 1, nn.SiLU)
        self.body = nn.ModuleList([conv_bn(4, 4, act=nn.SiLU) for _ in range(2)])

    def forward(self, x):
        y = list(self.first(x).split((4, 4), 1))
        y.extend(layer(y[-1]) for layer in self.body)
        return self.last(torch.cat(y, 1))


class Ghost(nn.Module):
    def __init__(self):
        super().__init__()
        self.primary, self.cheap = conv_bn(8, 5, 1), conv_bn(5, 5, groups=5)

    def forward(self, x):
        primary = self.primary(x)
        return torch.cat([primary, self.cheap(primary)], dim=1)[:, :9, :, :]


class StochasticDepth(nn.Module):
    """A residual whose branch may be dropped, and is scaled, while training."""

    def __init__(self):
        super().__init__()
        self.body = conv_bn(8, 8)
        self.scale = nn.Parameter(0.1 * torch.ones(8, 1, 1))

    def forward(self, x):
        branch = self.scale * self.body(x)
        if self.training:
            branch = branch * torch.bernoulli(torch.full((len(x), 1, 1, 1), 0.8)) / 0.8
        return F.dropout(x + branch, 0.1, self.training)


IDIOMS = {
    "squeeze and excite": idiom(SqueezeExcite),
    "CBAM": idiom(Cbam),
    "ECA": idiom(EfficientChannelAttention),
    "channel shuffle": idiom(Shuffle),
    "ChannelShuffle layer": idiom(lambda: nn.ChannelShuffle(4)),
    "inverted residual": idiom(InvertedResidual),
    "Focus": idiom(Focus, (1, 3, 14, 10)),
    "SPPF": idiom(Sppf),
    "C2f": idiom(C2f),
    "GhostModule": idiom(Ghost),
    "stochastic depth": idiom(StochasticDepth),
}
