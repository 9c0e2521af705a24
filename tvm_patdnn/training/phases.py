"""The phases of a run, and the learning rate in each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tvm_patdnn.training.settings import TrainSettings

__all__ = ["Phase", "PhaseName", "learning_rate", "phases"]

PhaseName = Literal["dense", "prune", "retrain"]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Some epochs with an optimiser of their own.

    Attributes:
        lr: the highest learning rate.
        constant: it stays; else it falls along a cosine to 0.
        number: makes the phase's random numbers differ from the others'.
    """

    name: PhaseName
    epochs: int
    lr: float
    constant: bool = False
    number: int = 0


def phases(settings: TrainSettings) -> tuple[Phase, Phase, Phase]:
    """Returns the phases in order; one may have no epochs."""
    return (
        Phase(name="dense", epochs=settings.dense_epochs, lr=settings.lr, number=0),
        Phase(
            name="prune",
            epochs=settings.prune_epochs,
            lr=settings.prune_lr,
            constant=True,
            number=1,
        ),
        Phase(name="retrain", epochs=settings.retrain_epochs, lr=settings.retrain_lr, number=2),
    )


def learning_rate(phase: Phase, done: float, warmup: float) -> float:
    """Returns the rate of a step.

    Args:
        done: share of the phase that is over, 0 to 1.
        warmup: share of a cosine phase in which the rate rises.
    """
    if phase.constant:
        return phase.lr
    if done < warmup:
        return phase.lr * max(done / warmup, 0.01)
    return phase.lr * 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))
