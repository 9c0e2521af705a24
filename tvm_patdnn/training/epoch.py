"""One epoch of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.computing import Computing
from tvm_patdnn.training.data.images import DataSet
from tvm_patdnn.training.distillation import Teacher
from tvm_patdnn.training.network_factory import input_channels
from tvm_patdnn.training.phases import Phase, learning_rate
from tvm_patdnn.training.settings import TrainSettings

__all__ = ["EpochTrainer", "make_optimizer"]


def make_optimizer(network: nn.Module, settings: TrainSettings) -> Optimizer:
    """Makes the optimiser of one phase; batch norms and biases do not decay."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=settings.lr,
        momentum=settings.momentum,
        nesterov=settings.momentum > 0,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class EpochTrainer:
    """Trains ``network`` for an epoch at a time, the same way for the same seed.

    Attributes:
        data: with its images where they are best kept.
        penalty: is added to every loss.
        tick: called after every step with the number of images.
    """

    network: nn.Module
    data: DataSet
    settings: TrainSettings
    computing: Computing
    penalty: Callable[[], Tensor] | None = None
    teacher: Teacher | None = None
    tick: Callable[[int], None] = lambda images: None

    def run(self, phase: Phase, epoch: int, optimizer: Optimizer) -> tuple[float, float]:
        """Trains one epoch.

        Returns:
            The mean loss without the penalty, and the top-1 accuracy in percent, of the
            training images as they were seen.

        Raises:
            TrainingError: the loss is not finite any more.
        """
        draw = self._seed(phase, epoch)
        if self.teacher is not None:
            self.teacher.begin(f"{phase.name}, epoch {epoch}")
        self.network.train()
        count = len(self.data.train.labels)
        steps = -(-count // self.settings.batch)
        sums = torch.zeros(2, device=self.computing.device)
        for step, (inputs, labels) in enumerate(self._batches(draw)):
            done = (epoch + step / steps) / phase.epochs
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(phase, done, self.settings.warmup)
            sums += self._step(inputs, labels, optimizer)
            self.tick(len(labels))
        if self.teacher is not None:
            self.teacher.end()
        loss, right = sums.tolist()
        if loss != loss or loss == float("inf"):
            raise TrainingError(
                f"{phase.name}, epoch {epoch}: the loss is not finite; "
                f"lower the learning rate ({phase.lr})"
            )
        return loss / count, 100 * right / count

    def _step(self, inputs: Tensor, labels: Tensor, optimizer: Optimizer) -> Tensor:
        """Does one step; returns the summed loss and the number of right answers."""
        with self.computing.mixed_precision():
            scores = self.network(inputs)
            smoothing = self.settings.label_smoothing
            loss = F.cross_entropy(scores.float(), labels, label_smoothing=smoothing)
            if self.teacher is not None:
                loss = self.teacher.blend(loss, scores, inputs)
        total = loss if self.penalty is None else loss + self.penalty()
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()
        right = (scores.detach().argmax(dim=1) == labels).sum()
        return torch.stack([loss.detach() * len(labels), right])

    def _batches(self, draw: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        train, device = self.data.train, self.computing.device
        channels = input_channels(self.network)
        order = torch.randperm(len(train.labels), generator=draw)
        for indices in order.split(self.settings.batch):
            if len(indices) == 1 and len(order) > 1:
                return  # batch norm cannot work with a single image
            inputs = self.data.normalise(train.batch(indices, draw).to(device), channels)
            inputs = inputs.contiguous(memory_format=torch.channels_last)
            yield inputs, train.labels[indices].to(device)

    def _seed(self, phase: Phase, epoch: int) -> torch.Generator:
        """Seeds everything random of an epoch, so that it does not depend on those before."""
        seed = (self.settings.seed * 3 + phase.number) * 100_003 + epoch
        torch.manual_seed(seed)  # dropout
        return torch.Generator().manual_seed(seed)
