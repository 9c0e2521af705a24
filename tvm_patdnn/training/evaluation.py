"""Measures accuracy, and settles batch norms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tvm_patdnn.training.data.images import DataSet
from tvm_patdnn.training.data.source import ImageSource
from tvm_patdnn.training.network_factory import input_channels

__all__ = ["Accuracy", "batches", "evaluate", "settle_batch_norm"]

_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Of a network on some images.

    Attributes:
        top1, top5: percent of the images whose class is the first, or among the first
            five, of the scores. Top-5 of five classes or fewer is 100.
        loss: mean cross entropy.
    """

    top1: float
    top5: float
    loss: float


@torch.no_grad()
def evaluate(network: nn.Module, data: DataSet, images: ImageSource) -> Accuracy:
    """Measures ``network`` in float32 and inference mode; its mode is left as it was."""
    training = network.training
    network.eval()
    right1 = right5 = 0
    loss = 0.0
    for inputs, labels in batches(network, data, images):
        scores = network(inputs).float()
        order = scores.topk(min(5, scores.shape[1]), dim=1).indices == labels[:, None]
        right1 += int(order[:, 0].sum())
        right5 += int(order.any(dim=1).sum())
        loss += float(F.cross_entropy(scores, labels, reduction="sum"))
    network.train(training)
    count = len(images.labels)
    return Accuracy(top1=100 * right1 / count, top5=100 * right5 / count, loss=loss / count)


@torch.no_grad()
def settle_batch_norm(network: nn.Module, data: DataSet, images: ImageSource) -> None:
    """Replaces the statistics of batch norms by those of ``images``.

    After weights were removed the old ones are wrong. Retraining mends that by itself.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    modes = {module: module.training for module in network.modules()}
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    for inputs, _ in batches(network, data, images):
        network(inputs)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    for module, training in modes.items():
        module.training = training


def batches(
    network: nn.Module, data: DataSet, images: ImageSource
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields (inputs, labels) of all images in order, where and as the network takes them."""
    device = next(network.parameters()).device
    channels = input_channels(network)
    for indices in torch.arange(len(images.labels)).split(_BATCH):
        inputs = data.normalise(images.batch(indices).to(device), channels)
        yield (
            inputs.contiguous(memory_format=torch.channels_last),
            images.labels[indices].to(device),
        )
