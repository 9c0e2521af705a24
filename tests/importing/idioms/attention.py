"""Attention, and how networks tell it positions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from tests.importing.idioms.idiom import idiom


class SelfAttention(nn.Module):
    """As ViT writes it, with one product for q, k and v."""

    def __init__(self, dim=16, heads=4):
        super().__init__()
        self.heads, self.scale = heads, (dim // heads) ** -0.5
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        b, n, c = x.shape
        qkv = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        attention = (q * self.scale @ k.transpose(-2, -1)).softmax(dim=-1)
        return self.proj((attention @ v).transpose(1, 2).reshape(b, n, c))


class FusedAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(16, 48)

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = (t.view(b, n, 4, c // 4).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class NonLocal(nn.Module):
    def __init__(self):
        super().__init__()
        self.theta, self.phi, self.g = (nn.Conv2d(8, 4, 1) for _ in range(3))
        self.out = nn.Conv2d(4, 8, 1)

    def forward(self, x):
        b, _, h, w = x.shape
        theta, phi, g = (f(x).view(b, 4, -1) for f in (self.theta, self.phi, self.g))
        weights = F.softmax(torch.bmm(theta.permute(0, 2, 1), phi), dim=-1)
        return x + self.out(torch.bmm(g, weights.permute(0, 2, 1)).view(b, 4, h, w))


class SwinWindows(nn.Module):
    """Shifted windows, with a table of relative positions."""

    def __init__(self, size=4, dim=16):
        super().__init__()
        self.size = size
        self.attention = SelfAttention(dim)
        self.table = nn.Parameter(torch.randn((2 * size - 1) ** 2, dim))
        points = torch.stack(
            torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        ).flatten(1)
        apart = (points[:, :, None] - points[:, None, :]).permute(1, 2, 0) + size - 1
        self.register_buffer("index", apart[..., 0] * (2 * size - 1) + apart[..., 1])

    def forward(self, x):
        b, h, w, c = x.shape
        s = self.size
        x = torch.roll(x, (-s // 2, -s // 2), (1, 2))
        windows = x.view(b, h // s, s, w // s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, s * s, c)
        bias = self.table[self.index.view(-1)].view(s * s, s * s, -1).mean(1)
        y = self.attention(windows + bias).view(b, h // s, w // s, s, s, c)
        y = y.permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        return torch.roll(y, (s // 2, s // 2), (1, 2))


class PatchEmbedding(nn.Module):
    """ViT's stem: patches, a class token and learnt positions."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.position = nn.Parameter(torch.randn(1, 13, 16))

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1)
        return x + self.position


class InterpolatedPositions(nn.Module):
    def __init__(self):
        super().__init__()
        self.position = nn.Parameter(torch.randn(1, 49, 8))

    def forward(self, x):
        grid = self.position.reshape(1, 7, 7, 8).permute(0, 3, 1, 2)
        return x + F.interpolate(grid, size=x.shape[-2:], mode="bicubic", align_corners=False)


class Sinusoids(nn.Module):
    def forward(self, x):
        position = torch.arange(x.shape[1]).float()[:, None]
        rate = torch.exp(torch.arange(0, x.shape[2], 2).float() * (-9.21 / x.shape[2]))
        angles = position * rate
        return x + torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class Rotary(nn.Module):
    def forward(self, x):
        n, d = x.shape[-2:]
        angles = torch.outer(torch.arange(n).float(), 1.0 / 100 ** (torch.arange(0, d, 2) / d))
        angles = torch.cat([angles, angles], -1)
        turned = torch.cat([-x[..., d // 2 :], x[..., : d // 2]], -1)
        return x * angles.cos() + turned * angles.sin()


class FirstOf(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x):
        return self.layer(x, x, x)[0]


def _encoder():
    return nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, activation="gelu")


IDIOMS = {
    "self-attention": idiom(SelfAttention, (1, 10, 16)),
    "scaled_dot_product_attention": idiom(FusedAttention, (1, 10, 16)),
    "MultiheadAttention": idiom(FirstOf, (2, 10, 16)),
    "TransformerEncoderLayer": idiom(_encoder, (2, 10, 16)),
    "non-local": idiom(NonLocal, (1, 8, 6, 5)),
    "Swin windows": idiom(SwinWindows, (1, 8, 12, 16)),
    "patch embedding": idiom(PatchEmbedding, (1, 3, 16, 12)),
    "interpolated positions": idiom(InterpolatedPositions),
    "sinusoidal positions": idiom(Sinusoids, (1, 10, 16)),
    "rotary positions": idiom(Rotary, (1, 2, 10, 8)),
}
