"""Ways to enlarge, shrink and sample images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from tests.importing.idioms.idiom import conv_bn, idiom


class UNet(nn.Module):
    """Two levels; what is enlarged is padded to the size of the skip connection."""

    def __init__(self):
        super().__init__()
        self.down = conv_bn(8, 16)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.last = conv_bn(16, 8)

    def forward(self, x):
        up = self.up(self.down(F.max_pool2d(x, 2)))
        dy, dx = x.size(2) - up.size(2), x.size(3) - up.size(3)
        up = F.pad(up, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.last(torch.cat([x, up], dim=1))


class FeaturePyramid(nn.Module):
    """FPN: coarse levels are enlarged to the next one's size and added."""

    def __init__(self):
        super().__init__()
        self.stem = nn.ModuleList([conv_bn(8, 8, stride=2), conv_bn(8, 16, stride=2)])
        self.lateral = nn.ModuleList([nn.Conv2d(c, 8, 1) for c in (8, 8, 16)])
        self.smooth = nn.ModuleList([nn.Conv2d(8, 8, 3, padding=1) for _ in range(3)])

    def forward(self, x):
        levels = [x]
        for layer in self.stem:
            levels.append(layer(levels[-1]))
        tops = [lateral(level) for lateral, level in zip(self.lateral, levels)]
        for i in (1, 0):
            tops[i] = tops[i] + F.interpolate(tops[i + 1], size=tops[i].shape[-2:], mode="nearest")
        return tuple(smooth(top) for smooth, top in zip(self.smooth, tops))


class Aspp(nn.Module):
    """Atrous spatial pyramid pooling, with the image's mean."""

    def __init__(self):
        super().__init__()
        self.branches = nn.ModuleList(
            [conv_bn(8, 8, 1), *[conv_bn(8, 8, padding=d, dilation=d) for d in (2, 4)]]
        )
        self.image = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.ReLU())
        self.project = conv_bn(32, 8, 1)

    def forward(self, x):
        parts = [branch(x) for branch in self.branches]
        image = F.interpolate(
            self.image(x), size=x.shape[-2:], mode="bilinear", align_corners=False
        )
        return self.project(torch.cat([*parts, image], dim=1))


class PyramidPooling(nn.Module):
    """PSP: means over grids of several sizes, enlarged and joined."""

    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList(
            [nn.Sequential(nn.AdaptiveAvgPool2d(n), nn.Conv2d(8, 2, 1)) for n in (1, 2, 3, 6)]
        )

    def forward(self, x):
        grown = [
            F.interpolate(stage(x), size=x.shape[2:], mode="bilinear", align_corners=True)
            for stage in self.stages
        ]
        return torch.cat([x, *grown], dim=1)


def _grid_sample(x, flow):
    ys, xs = torch.meshgrid(
        torch.linspace(-1, 1, x.shape[2]), torch.linspace(-1, 1, x.shape[3]), indexing="ij"
    )
    grid = torch.stack([xs, ys], dim=-1)[None] + 0.1 * flow
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=True)


IDIOMS = {
    "interpolate size nearest": idiom(lambda x: F.interpolate(x, size=(20, 31))),
    "interpolate size smaller": idiom(lambda x: F.interpolate(x, size=(7, 5))),
    "interpolate scale 2 nearest": idiom(lambda x: F.interpolate(x, scale_factor=2)),
    "interpolate scale 1.5 nearest": idiom(lambda x: F.interpolate(x, scale_factor=1.5)),
    "interpolate scales differ": idiom(lambda x: F.interpolate(x, scale_factor=(0.6, 1.7))),
    "interpolate nearest-exact": idiom(
        lambda x: F.interpolate(x, scale_factor=1.7, mode="nearest-exact")
    ),
    "interpolate scale 0.5 bilinear": idiom(
        lambda x: F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)
    ),
    "interpolate bilinear recomputed scale": idiom(
        lambda x: F.interpolate(x, scale_factor=1.3, mode="bilinear", recompute_scale_factor=True)
    ),
    "interpolate bilinear given scale": idiom(
        lambda x: F.interpolate(x, scale_factor=1.3, mode="bilinear")
    ),
    "interpolate bilinear corners": idiom(
        lambda x: F.interpolate(x, size=(27, 19), mode="bilinear", align_corners=True)
    ),
    "interpolate bilinear scale corners": idiom(
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
    ),
    "interpolate bicubic": idiom(lambda x: F.interpolate(x, scale_factor=2, mode="bicubic")),
    "interpolate bicubic odd": idiom(
        lambda x: F.interpolate(x, scale_factor=1.4, mode="bicubic", align_corners=False)
    ),
    "interpolate bicubic corners": idiom(
        lambda x: F.interpolate(x, size=(9, 23), mode="bicubic", align_corners=True)
    ),
    "interpolate area": idiom(lambda x: F.interpolate(x, size=(6, 5), mode="area"), (1, 8, 12, 10)),
    "interpolate linear": idiom(
        lambda x: F.interpolate(x, scale_factor=1.5, mode="linear"), (2, 4, 15)
    ),
    "interpolate volume": idiom(
        lambda x: F.interpolate(x, size=(5, 9, 8), mode="trilinear"), (1, 2, 4, 6, 5)
    ),
    "interpolate antialias": idiom(
        lambda x: F.interpolate(x, size=(6, 5), mode="bilinear", antialias=True)
    ),
    "Upsample layer": idiom(
        lambda: nn.Sequential(conv_bn(8, 8), nn.Upsample(scale_factor=2), conv_bn(8, 4))
    ),
    "U-Net": idiom(UNet),
    "FPN": idiom(FeaturePyramid),
    "ASPP": idiom(Aspp),
    "PSP": idiom(PyramidPooling, (1, 8, 12, 18)),
    "grid_sample": idiom(_grid_sample, (1, 4, 9, 7), (1, 9, 7, 2)),
    "affine_grid": idiom(
        lambda x, theta: F.grid_sample(
            x, F.affine_grid(theta, [1, 4, 9, 7], align_corners=False), align_corners=False
        ),
        (1, 4, 9, 7),
        (1, 2, 3),
    ),
    "pixel shuffle": idiom(lambda x: F.pixel_shuffle(x, 2)),
    "pixel unshuffle": idiom(lambda x: F.pixel_unshuffle(x, 2), (1, 3, 12, 10)),
}
