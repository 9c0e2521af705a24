"""Heads of detectors and classifiers, and sequences."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from tests.importing.idioms.idiom import conv_bn, idiom


class YoloDfl(nn.Module):
    """YOLOv8's head: distributions of distances, decoded by anchor points."""

    def __init__(self):
        super().__init__()
        self.boxes, self.classes = nn.Conv2d(8, 64, 1), nn.Conv2d(8, 3, 1)
        self.dfl = nn.Conv2d(16, 1, 1, bias=False)
        self.dfl.weight.data[:] = torch.arange(16.0).view(1, 16, 1, 1)

    def forward(self, x):
        b, _, h, w = x.shape
        raw = torch.cat([self.boxes(x), self.classes(x)], 1).view(b, 67, -1)
        box, scores = raw.split((64, 3), 1)
        box = self.dfl(box.view(b, 4, 16, -1).transpose(2, 1).softmax(1)).view(b, 4, -1)
        ys, xs = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
        anchors = torch.stack((xs, ys), -1).view(-1, 2).transpose(0, 1)[None]
        low, high = box.chunk(2, 1)
        x1y1, x2y2 = anchors - low, anchors + high
        boxes = torch.cat(((x1y1 + x2y2) / 2, x2y2 - x1y1), 1) * 8
        return torch.cat((boxes, scores.sigmoid()), 1)


class YoloAnchors(nn.Module):
    """YOLOv5's head: offsets to a grid, sizes relative to anchors."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 3 * 7, 1)
        self.register_buffer("anchors", torch.tensor([[10.0, 13], [16, 30], [33, 23]]))

    def forward(self, x):
        b, _, h, w = x.shape
        y = self.conv(x).view(b, 3, 7, h, w).permute(0, 1, 3, 4, 2).contiguous().sigmoid()
        ys, xs = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
        grid = torch.stack((xs, ys), 2).view(1, 1, h, w, 2).float()
        xy, wh, rest = y.split((2, 2, 3), 4)
        xy = (xy * 2 - 0.5 + grid) * 8
        wh = (wh * 2) ** 2 * self.anchors.view(1, 3, 1, 1, 2)
        return torch.cat((xy, wh, rest), 4).view(b, -1, 7)


class SsdBoxes(nn.Module):
    def forward(self, location, priors):
        centres = priors[:, :2] + location[..., :2] * 0.1 * priors[:, 2:]
        sizes = priors[:, 2:] * torch.exp(location[..., 2:] * 0.2)
        low = centres - sizes / 2
        return torch.cat([low, low + sizes], -1)


class CentrePeaks(nn.Module):
    """CenterNet: peaks of a heat map, the best of them with their places."""

    def forward(self, heat):
        heat = heat.sigmoid()
        heat = heat * (F.max_pool2d(heat, 3, stride=1, padding=1) == heat).float()
        scores, places = torch.topk(heat.flatten(1), 6)
        w, area = heat.shape[3], heat.shape[2] * heat.shape[3]
        inside = places % area
        return scores, places // area, inside // w, inside % w


class CtcHead(nn.Module):
    """CRNN without its recurrence: columns as a sequence, log-probabilities of characters."""

    def __init__(self):
        super().__init__()
        self.conv = conv_bn(8, 16, padding=(0, 1))
        self.fc = nn.Linear(16, 11)

    def forward(self, x):
        return F.log_softmax(self.fc(self.conv(x).squeeze(2).permute(2, 0, 1)), dim=2)


class SoftArgmax(nn.Module):
    def forward(self, heat):
        b, c, h, w = heat.shape
        odds = heat.view(b, c, -1).softmax(-1).view(b, c, h, w)
        xs = (odds.sum(2) * torch.linspace(0, 1, w)).sum(-1)
        ys = (odds.sum(3) * torch.linspace(0, 1, h)).sum(-1)
        return torch.stack([xs, ys], -1)


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.layer = kind(8, 6, batch_first=True, **options)

    def forward(self, x):
        return self.layer(x)[0]


IDIOMS = {
    "YOLO with DFL": idiom(YoloDfl, (1, 8, 6, 5)),
    "YOLO with anchors": idiom(YoloAnchors, (1, 8, 6, 5)),
    "SSD boxes": idiom(SsdBoxes, (1, 20, 4), (20, 4)),
    "CenterNet peaks": idiom(CentrePeaks, (1, 3, 9, 8)),
    "CTC head": idiom(CtcHead, (1, 8, 3, 12)),
    "soft argmax": idiom(SoftArgmax, (1, 4, 9, 8)),
    "softmax over channels": idiom(lambda x: x.softmax(1)),
    "log_softmax": idiom(lambda x: F.log_softmax(x, dim=1)),
    "LSTM": idiom(lambda: Recurrent(nn.LSTM, bidirectional=True), (1, 7, 8)),
    "GRU": idiom(lambda: Recurrent(nn.GRU), (1, 7, 8)),
    "Embedding": idiom(lambda x: F.embedding((x.abs() * 3).long(), torch.eye(32)[:, :5]), (2, 6)),
}
