import pytest
import torch
from torch import nn

from tests.training.tiny import CLASSES
from tvm_patdnn.training.data.images import DataSet, MemoryImages
from tvm_patdnn.training.evaluation import evaluate, settle_batch_norm


class Fixed(nn.Module):
    """Gives the scores that it was made with, in the order of images."""

    def __init__(self, scores):
        super().__init__()
        self.scores = nn.Parameter(scores)

    def forward(self, x):
        assert not self.training
        return self.scores[: len(x)]


def images(labels):
    pixels = torch.zeros(len(labels), 3, 2, 2, dtype=torch.uint8)
    return MemoryImages(pixels, torch.tensor(labels))


def of(train, test, classes=CLASSES):
    return DataSet(
        name="d", train=train, test=test, classes=classes, mean=(0.0,) * 3, std=(1.0,) * 3
    )


def test_accuracy_by_hand():
    scores = torch.arange(7.0).repeat(4, 1)  # the last class wins, then the one before
    labelled = images([6, 5, 2, 0])
    network = Fixed(scores)
    found = evaluate(network, of(labelled, labelled, tuple("abcdefg")), labelled)
    assert found.top1 == 25
    assert found.top5 == 75
    expected = nn.functional.cross_entropy(scores, labelled.labels)
    assert found.loss == pytest.approx(expected.item(), rel=1e-5)
    assert network.training


def test_batch_norms_take_the_statistics_of_the_images(net, data):
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.fill_(7)
    net.train()
    settle_batch_norm(net, data, data.train)
    inputs = data.normalise(data.train.batch(torch.arange(96)), 3)
    first = net.first[0](inputs)
    assert torch.allclose(net.first[1].running_mean, first.mean(dim=(0, 2, 3)), atol=1e-5)
    assert net.first[1].momentum == 0.1
    assert net.training
    assert all(module.training for module in net.modules())
