"""Refits the kept weights of a pruned convolution to what the dense one computes.

Layer by layer, in closed form: cheap next to training, and it recovers most of what
one-shot pruning loses. Layers are fitted in order, each on what the pruned layers before
it really give, as channel pruning does (He et al., ICCV 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["refit"]

_RIDGE = 1e-5  # of the mean squared input; keeps nearly equal inputs apart


@torch.no_grad()
def refit(conv: nn.Conv2d, inputs: Tensor, target: Tensor) -> None:
    """Sets kept weights and bias to minimise the squared error; zeros stay zero.

    A kept weight whose input is zero in all of ``inputs`` becomes zero too.

    Args:
        conv: pruned, stride 1, "same" zero padding, with a bias; changed in place.
        inputs: (n, in_c, h, w) float32, what the layer gets in the pruned network.
        target: (n, out_c, h, w) float32, what it gives in the dense network.
    """
    gram, cross = _moments(conv, inputs, target)
    for filter_index, weight in enumerate(conv.weight):
        kept = torch.cat([weight.flatten() != 0, weight.new_ones(1, dtype=torch.bool)])
        system = gram[kept][:, kept]
        system += _RIDGE * system.diagonal().mean() * torch.eye(len(system))
        solution = torch.linalg.solve(system, cross[kept, filter_index]).float()
        weight[weight != 0] = solution[:-1]
        assert conv.bias is not None
        conv.bias[filter_index] = solution[-1]


def _moments(conv: nn.Conv2d, inputs: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the float64 products of inputs with themselves and with the target.

    Rows are ordered as in ``weight.flatten()``, with a row of ones for the bias behind.
    """
    taps = conv.weight[0].numel() + 1
    padding = (conv.kernel_size[0] // 2, conv.kernel_size[1] // 2)
    gram = torch.zeros(taps, taps, dtype=torch.float64)
    cross = torch.zeros(taps, conv.out_channels, dtype=torch.float64)
    for image, wanted in zip(inputs, target, strict=True):
        columns = F.unfold(image[None], conv.kernel_size, padding=padding)[0]
        columns = torch.cat([columns, torch.ones(1, columns.shape[1])])
        gram += (columns @ columns.T).double()
        cross += (columns @ wanted.flatten(1).T).double()
    return gram, cross
