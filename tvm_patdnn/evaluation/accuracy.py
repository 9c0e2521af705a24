"""Counts how often a classifier is right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tvm_patdnn.errors import LibraryError

__all__ = ["Accuracy", "count_right"]

_MANY = 5


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Of a classifier.

    Attributes:
        images: looked at.
        top1, top5: percent of them whose class has the highest, or one of the five highest
            scores.
    """

    images: int
    top1: float
    top5: float

    def __str__(self) -> str:
        return f"images  {self.images}\ntop-1   {self.top1:.2f} %\ntop-5   {self.top5:.2f} %"


def count_right(answers: Iterable[tuple[np.ndarray, int]]) -> Accuracy:
    """Counts.

    Args:
        answers: of each image the scores, any shape with all but one size 1, and its class.

    Raises:
        LibraryError: a score is not a number; which of them is the highest is then not known.
    """
    ranks = [_rank(scores.reshape(-1), label) for scores, label in answers]
    first, many = (100 * float(np.mean([rank < n for rank in ranks])) for n in (1, _MANY))
    return Accuracy(images=len(ranks), top1=first, top5=many)


def _rank(scores: np.ndarray, label: int) -> int:
    """Returns how many classes go before ``label``: of equal scores the first class does."""
    if np.isnan(scores).any():
        raise LibraryError("the model gave scores that are not a number; check its weights")
    before = scores[:label] >= scores[label]
    return int(before.sum() + (scores[label + 1 :] > scores[label]).sum())
