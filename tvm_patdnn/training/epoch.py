"""One epoch of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.computing import Computing
from tvm_patdnn.training.data.images import DataSet, MemoryImages
from tvm_patdnn.training.distillation import Teacher
from tvm_patdnn.training.network_factory import input_channels
from tvm_patdnn.training.phases import Phase, learning_rate
from tvm_patdnn.training.recorded_steps import RecordedSteps
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
        fused=all(p.is_cuda for p in network.parameters()),
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
    _kept: list[RecordedSteps] = field(default_factory=list, init=False)

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
        order = torch.randperm(count, generator=draw)
        rates = self._rates(phase, epoch, -(-count // self.settings.batch))
        sums = torch.zeros(2, device=self.computing.device)
        done = 0
        if self._records:
            sums += self._recorded(optimizer).run(order, rates, draw, self.tick)
            done = count // self.settings.batch
        for lr, (inputs, labels) in zip(rates[done:], self._batches(order, done, draw)):
            for group in optimizer.param_groups:
                group["lr"] = lr
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
        _match_strides(self.network)
        optimizer.step()
        right = (scores.detach().argmax(dim=1) == labels).sum()
        return torch.stack([loss.detach() * len(labels), right])

    def _rates(self, phase: Phase, epoch: int, steps: int) -> list[float]:
        """Returns the learning rate of each step of an epoch."""
        done = [(epoch + step / steps) / phase.epochs for step in range(steps)]
        return [learning_rate(phase, share, self.settings.warmup) for share in done]

    def _batches(
        self, order: Tensor, done: int, draw: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields (inputs, labels) in ``order``, but for the first ``done`` batches."""
        for indices in order.split(self.settings.batch)[done:]:
            if len(indices) == 1 and len(order) > 1:
                return  # batch norm cannot work with a single image
            labels = self.data.train.labels[indices].to(self.computing.device)
            yield self._inputs(self.data.train.batch(indices, draw)), labels

    def _inputs(self, images: Tensor) -> Tensor:
        """Returns what the network takes of images (n, c, h, w) uint8."""
        channels = input_channels(self.network)
        inputs = self.data.normalise(images.to(self.computing.device), channels)
        return inputs.contiguous(memory_format=torch.channels_last)

    @property
    def _records(self) -> bool:
        """Whether steps can be the same work every time, which a GPU repeats by itself."""
        on_gpu = self.computing.device.type == "cuda"
        whole = len(self.data.train.labels) >= self.settings.batch
        asked_each_time = self.teacher is not None and not self.teacher.repeatable
        return (
            on_gpu and whole and isinstance(self.data.train, MemoryImages) and not asked_each_time
        )

    def _recorded(self, optimizer: Optimizer) -> RecordedSteps:
        """Returns the steps of this trainer, which are recorded when they run first."""
        if not self._kept:
            train = self.data.train
            assert isinstance(train, MemoryImages)

            def step(images: Tensor, labels: Tensor) -> Tensor:
                return self._step(self._inputs(images), labels, optimizer)

            changing = self.penalty is not None
            self._kept.append(
                RecordedSteps(train, self.settings.batch, optimizer, step, changing=changing)
            )
        return self._kept[0]

    def _seed(self, phase: Phase, epoch: int) -> torch.Generator:
        """Seeds everything random of an epoch, so that it does not depend on those before."""
        seed = (self.settings.seed * 3 + phase.number) * 100_003 + epoch
        torch.manual_seed(seed)  # dropout
        return torch.Generator().manual_seed(seed)


def _match_strides(network: nn.Module) -> None:
    """Gives gradients the strides of their parameters, as fused optimisers want them.

    They differ where a dimension is 1, in which any stride means the same.
    """
    for parameter in network.parameters():
        gradient = parameter.grad
        if gradient is not None and gradient.stride() != parameter.stride():
            parameter.grad = gradient.as_strided(parameter.shape, parameter.stride())
