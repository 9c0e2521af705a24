"""Training towards the outputs of the dense network."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Teacher", "distillation_loss"]


def distillation_loss(scores: Tensor, teacher_scores: Tensor, temperature: float) -> Tensor:
    """Returns T^2 KL(teacher || student) at temperature T (Hinton et al. 2015, section 2).

    Args:
        scores, teacher_scores: (n, classes), before softmax.
    """
    student = F.log_softmax(scores.float() / temperature, dim=1)
    teacher = F.log_softmax(teacher_scores.float() / temperature, dim=1)
    apart = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
    return apart * temperature**2


class Teacher:
    """A network as it is now, which stays so, for another to learn from.

    Args:
        network: is copied.
        weight: of the teacher in the loss, 0 to 1.
        temperature: see ``distillation_loss``.

    Attributes:
        repeatable: whether it does the same work for every batch.
    """

    repeatable = True

    def __init__(self, network: nn.Module, weight: float, temperature: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._weight, self._temperature = weight, temperature

    def blend(self, loss: Tensor, scores: Tensor, images: Tensor) -> Tensor:
        """Mixes the loss against the labels with that against the teacher.

        Args:
            loss: of the scores against the labels, a scalar.
            scores: (n, classes), before softmax.
            images: that they are of, as the network takes them.
        """
        apart = distillation_loss(scores, self.wanted(images), self._temperature)
        return (1 - self._weight) * loss + self._weight * apart

    @torch.no_grad()
    def wanted(self, images: Tensor) -> Tensor:
        """Returns the scores that the teacher gives: (n, classes)."""
        scores: Tensor = self.network(images)
        return scores

    def begin(self, epoch: str) -> None:
        """Prepares an epoch, named with its phase."""

    def end(self) -> None:
        """Ends the epoch that was begun."""
