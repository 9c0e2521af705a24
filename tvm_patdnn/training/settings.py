"""Settings of a whole training run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from tvm_patdnn.errors import TrainingError

__all__ = ["Precision", "Rewind", "TrainSettings"]

Precision = Literal["auto", "float32", "bfloat16"]
Rewind = int | Literal["fresh"] | None


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How a network is trained: stochastic gradient descent with Nesterov momentum.

    Args:
        dense_epochs: of pretraining; its rate falls from ``lr`` along a cosine.
        prune_epochs: of the pruning phase, at the constant rate ``prune_lr``, since every
            stage of the method is to move the weights as far.
        retrain_epochs: after pruning; the rate falls from ``retrain_lr`` along a cosine.
        batch: images per step.
        lr, prune_lr, retrain_lr: learning rates.
        warmup: share of a cosine phase in which the rate rises from nothing.
        momentum, weight_decay: of the optimiser; batch norms and biases do not decay.
        label_smoothing: share of the target spread over all classes.
        distill: weight of a teacher's outputs in the loss after pruning, 0 to 1.
        distill_pruning: they are in the loss of the pruning phase, too.
        temperature: that softens these outputs.
        rewind: retrains what pruning kept from the weights after so many epochs of
            pretraining (0: the first weights), or from ``fresh`` ones; None for the weights
            that pruning left.
        seed: of everything random.
        precision: of products; ``auto`` is bfloat16 where the processor computes it, else
            float32. Weights and sums stay float32.

    Raises:
        TrainingError: a value is out of its range.
    """

    dense_epochs: int = 160
    prune_epochs: int = 60
    retrain_epochs: int = 100
    batch: int = 128
    lr: float = 0.1
    prune_lr: float = 0.01
    retrain_lr: float = 0.05
    warmup: float = 0.03
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.0
    distill: float = 0.0
    distill_pruning: bool = False
    temperature: float = 4.0
    rewind: Rewind = None
    seed: int = 0
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        """Checks the values."""
        if self.precision not in get_args(Precision):
            raise TrainingError(
                f"precision={self.precision!r} is unknown; "
                f"choose one of {', '.join(get_args(Precision))}"
            )
        if self.rewind not in (None, "fresh", *range(self.dense_epochs + 1)):
            raise TrainingError(
                f"rewind={self.rewind!r}: expected 0 to {self.dense_epochs}, the epochs of "
                "pretraining, or 'fresh'"
            )
        for names, holds, expected in _RANGES:
            for name in names.split():
                value = getattr(self, name)
                if not holds(value):
                    raise TrainingError(f"{name}={value}: expected {expected}")


_RANGES: tuple[tuple[str, Callable[[float], bool], str], ...] = (
    ("dense_epochs retrain_epochs seed", lambda v: v >= 0, "0 or more"),
    ("prune_epochs", lambda v: v >= 1, "at least 1"),
    ("batch", lambda v: v >= 2, "at least 2, as batch norm needs several images"),
    ("lr prune_lr retrain_lr temperature", lambda v: 0 < v < float("inf"), "a positive number"),
    ("warmup momentum label_smoothing", lambda v: 0 <= v < 1, "0 or more, below 1"),
    ("distill", lambda v: 0 <= v <= 1, "0 to 1"),
    ("weight_decay", lambda v: 0 <= v < float("inf"), "0 or more"),
)
