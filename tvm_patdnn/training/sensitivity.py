"""What pruning one layer alone costs in accuracy, without retraining."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from tvm_patdnn.training.data.images import DataSet
from tvm_patdnn.training.data.source import ImageSource
from tvm_patdnn.training.evaluation import Accuracy, evaluate
from tvm_patdnn.training.projection import NetworkProjection

__all__ = ["RATES", "Sensitivity", "masks_at", "scan_sensitivity"]

RATES: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """One layer at one rate.

    Attributes:
        layer: its path.
        rate: kernels before over kernels after; patterns are applied at every rate.
        top1: percent, with only this layer pruned.
        loss_rise: of the mean cross entropy over that of the dense network.
    """

    layer: str
    rate: float
    top1: float
    loss_rise: float


@torch.no_grad()
def scan_sensitivity(
    model: nn.Module,
    projection: NetworkProjection,
    data: DataSet,
    images: ImageSource,
    *,
    rates: Sequence[float] = RATES,
    tick: Callable[[], None] = lambda: None,
) -> list[Sensitivity]:
    """Prunes each layer alone at each rate, and measures; the weights come back as they were.

    Args:
        images: to measure on; take training images, since the result decides on the
            network.
        tick: called after each measurement.
    """
    dense = evaluate(model, data, images)
    rows = []
    masks = {rate: masks_at(projection, projection.weights(model), rate) for rate in rates}
    for i, (name, weight) in enumerate(zip(projection.names, projection.weights(model))):
        for rate in rates:
            found = _measure(model, weight, masks[rate][i], data, images)
            rise = found.loss - dense.loss
            rows.append(Sensitivity(layer=name, rate=rate, top1=found.top1, loss_rise=rise))
            tick()
    return rows


def masks_at(projection: NetworkProjection, weights: Sequence[Tensor], rate: float) -> list[Tensor]:
    """Returns the masks of patterns, and of connectivity at ``rate`` in every layer."""
    by_pattern = projection.pattern_masks(weights)
    kept = [weight.detach() * mask for weight, mask in zip(weights, by_pattern)]
    plans = [replace(plan, rate=rate, own_rate=True) for plan in projection.chosen]
    return [a & b for a, b in zip(by_pattern, projection.kernel_masks(kept, plans))]


def _measure(
    model: nn.Module, weight: Tensor, mask: Tensor, data: DataSet, images: ImageSource
) -> Accuracy:
    before = weight.detach().clone()
    try:
        weight.mul_(mask)
        return evaluate(model, data, images)
    finally:
        weight.copy_(before)
