"""Statistics, comparisons and other arithmetic over tensors."""

from __future__ import annotations

import torch

from tests.importing.idioms.idiom import idiom

IDIOMS = {
    "mean of all": idiom(lambda x: (x.mean(), x.mean((2, 3)), x.mean(dim=1, keepdim=True))),
    "var and std": idiom(lambda x: (x.var(1), x.std((2, 3), keepdim=True), x.var(1, correction=0))),
    "instance statistics": idiom(
        lambda x, s: (x - x.mean((2, 3), True)) / (x.std((2, 3), keepdim=True) + 1e-5) * s,
        (1, 8, 6, 5),
        (1, 8, 1, 1),
    ),
    "clamp by tensors": idiom(
        lambda x, a: torch.clamp(x, min=a, max=a + 1), (1, 8, 6, 5), (1, 8, 1, 1)
    ),
    "minimum and maximum": idiom(
        lambda a, b: torch.maximum(a, b) - torch.minimum(a, b), (2, 8, 5), (8, 1)
    ),
    "floor_divide and remainder": idiom(
        lambda x: (torch.floor_divide(x, 0.3), torch.div(x, 0.7, rounding_mode="trunc"))
    ),
    "remainder": idiom(lambda x: torch.remainder(x, 0.7)),
    "fmod": idiom(lambda x: torch.fmod(x, 0.7)),
    "pow and rsqrt": idiom(lambda x: (x.abs() + 0.1).pow(0.3) * torch.rsqrt(x * x + 1)),
    "rounding": idiom(lambda x: (x.round(), x.floor(), x.ceil(), x.sign())),
    "logarithms": idiom(lambda x: (x.abs().log1p(), torch.log2(x.abs() + 1), x.exp())),
    "logsumexp": idiom(lambda x: x.logsumexp(dim=1)),
    "norms": idiom(lambda x: (x.norm(dim=1), x.abs().amax((2, 3)), x.amin(1), x.prod(-1))),
    "comparisons": idiom(lambda x: ((x > 0.5).float(), (x <= 0).int(), x.isnan().any())),
    "casts": idiom(lambda x: ((x * 10).int() // 3, (x > 0).to(x.dtype), x.long())),
}
