import numpy as np
import pytest
import torch

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.evaluation.accuracy import Accuracy, count_right


@pytest.mark.parametrize("classes", [2, 5, 20])
def test_as_torch_counts(classes):
    rng = np.random.default_rng(classes)
    scores, labels = rng.standard_normal((50, classes)), rng.integers(0, classes, 50)
    best = torch.tensor(scores).topk(min(5, classes)).indices == torch.tensor(labels)[:, None]
    found = count_right((row.reshape(1, -1, 1, 1), int(n)) for row, n in zip(scores, labels))
    assert found.images == 50
    assert found.top1 == pytest.approx(100 * best[:, 0].double().mean().item())
    assert found.top5 == pytest.approx(100 * best.any(dim=1).double().mean().item())


def test_of_equal_scores_the_first_class_is_the_answer():
    """So that a model that says nothing is not right about all."""
    assert count_right([(np.zeros(10), label) for label in range(10)]).top1 == 10


def test_what_is_not_a_number():
    with pytest.raises(LibraryError, match="scores that are not a number; check its weights"):
        count_right([(np.array([1, np.nan]), 0)])


def test_text():
    assert str(Accuracy(images=3, top1=100 / 3, top5=100.0)).splitlines() == [
        "images  3",
        "top-1   33.33 %",
        "top-5   100.00 %",
    ]
