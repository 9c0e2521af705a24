"""What networks do with tensors between their layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from tests.importing.idioms.idiom import idiom


def _coordinates(x):
    """CoordConv: the position of each pixel as two more channels."""
    b, _, h, w = x.shape
    ys, xs = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    ys, xs = ys.float() / (h - 1) * 2 - 1, xs.float() / (w - 1) * 2 - 1
    return torch.cat([x, xs.expand(b, 1, h, w), ys.expand(b, 1, h, w)], dim=1)


def _blank(x):
    mask = torch.ones(x.shape[-2], x.shape[-1]).triu(1).bool()
    return x.masked_fill(mask, float("-inf")).softmax(dim=-1)


def _set(x):
    y = x.clone()
    y[:, 1:3] = 0.5 * y[:, 4:6]
    return y


IDIOMS = {
    "unfold": idiom(lambda x: F.unfold(x, 3, padding=1)),
    "fold": idiom(lambda x: F.fold(x, (8, 6), 2, stride=2), (1, 12, 12)),
    "unfold by windows": idiom(lambda x: x.unfold(2, 3, 2).unfold(3, 3, 2)),
    "einsum attention": idiom(
        lambda q, k: torch.einsum("bhid,bhjd->bhij", q, k), (1, 2, 5, 4), (1, 2, 6, 4)
    ),
    "einsum channels": idiom(
        lambda x, w: torch.einsum("nchw,cd->ndhw", x, w), (1, 8, 5, 4), (8, 6)
    ),
    "chunk, cat and stack": idiom(
        lambda x: torch.stack([torch.cat(x.chunk(4, 1)[::-1], 1), x], dim=2)
    ),
    "split unevenly": idiom(lambda x: torch.split(x, [1, 5, 2], dim=1)[1] * 2),
    "unbind": idiom(lambda x: sum(x.unbind(1))),
    "gather": idiom(
        lambda x: x.gather(1, x.abs().argmax(1, keepdim=True)),
    ),
    "index_select": idiom(lambda x: x.index_select(1, torch.tensor([3, 0, 7, 3]))),
    "index with a list": idiom(lambda x: x[:, [2, 1, 0]]),
    "index by two tensors": idiom(lambda x: x[:, :, torch.tensor([0, 3]), torch.tensor([5, 1])]),
    "masked_fill": idiom(_blank, (1, 4, 7, 7)),
    "where": idiom(lambda x: torch.where(x > 0, x * 2, x.exp() - 1)),
    "where by scalars": idiom(lambda x: torch.where((x > 0) & (x < 1), 1.0, x)),
    "cumsum": idiom(lambda x: (x.cumsum(-1), (x > 0).cumsum(1, dtype=torch.float32))),
    "topk": idiom(lambda x: x.flatten(1).topk(5, dim=1)),
    "sort": idiom(lambda x: x.sort(dim=1, descending=True)[0]),
    "argmax head": idiom(lambda x: (x.argmax(dim=1), x.softmax(1).max(dim=1)[0])),
    "flatten and view": idiom(lambda x: x.flatten(2).view(x.size(0), -1, x.size(1))),
    "view as windows": idiom(lambda x: x.reshape(2, 4, x.shape[1] // 4, -1).mean(1), (2, 8, 5, 3)),
    "squeeze": idiom(lambda x: x.squeeze(1).unsqueeze(-1).squeeze(), (1, 1, 5, 3)),
    "permute": idiom(lambda x: x.permute(0, 2, 3, 1).contiguous().transpose(1, 2).sum(-1)),
    "roll": idiom(lambda x: torch.roll(x, shifts=(-3, 2), dims=(2, 3))),
    "flip": idiom(lambda x: torch.cat([x.flip(-1), torch.flip(x, dims=[2, 3])])),
    "rot90": idiom(lambda x: torch.rot90(x, 1, dims=(2, 3))),
    "repeat": idiom(lambda x: x.repeat(1, 2, 1, 3)),
    "repeat_interleave": idiom(lambda x: x.repeat_interleave(3, dim=1)),
    "expand": idiom(lambda x: x.mean((2, 3))[..., None, None].expand(-1, -1, 4, 3)),
    "CoordConv": idiom(_coordinates),
    "new tensors": idiom(lambda x: x + torch.zeros_like(x) + x.new_full((1, 8, 1, 1), 0.25)),
    "arange by shape": idiom(lambda x: x * torch.arange(x.shape[-1]).to(x)),
    "one_hot": idiom(lambda x: F.one_hot(x.argmax(1), 8).permute(0, 3, 1, 2).float()),
    "assign to a slice": idiom(_set),
    "scatter": idiom(lambda x: torch.zeros_like(x).scatter(1, x.argmax(1, keepdim=True), 1.0)),
    "matmul by batches": idiom(lambda a, b: a @ b.transpose(-2, -1), (2, 3, 5, 4), (3, 6, 4)),
    "baddbmm": idiom(
        lambda a, b, c: torch.baddbmm(a, b, c, beta=0.5), (2, 5, 6), (2, 5, 4), (2, 4, 6)
    ),
    "atan2": idiom(lambda a, b: torch.atan2(a, b), (3, 7), (3, 7)),
    "bitwise masks": idiom(lambda x: ((x > 0) ^ (x < 1)) | ~(x > 2)),
    "tril": idiom(lambda x: torch.tril(x) + torch.triu(x, 2), (1, 2, 7, 7)),
    "step slices": idiom(lambda x: x[:, 1::3, -7:-1:2, ...]),
    "pad as constants": idiom(lambda x: F.pad(x, (0, 0, 1, 1, 2, 0), value=-1.5)),
    "split by halves of a view": idiom(
        lambda x: torch.cat([t.sigmoid() for t in x.tensor_split(3, dim=1)], 1)
    ),
}
