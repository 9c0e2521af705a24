import math

import pytest
import torch
from torch.nn import functional as F

from tests.training.tiny import example
from tvm_patdnn.training import Teacher
from tvm_patdnn.training.distillation import distillation_loss


def test_loss_by_hand():
    """At temperature 4 the teacher's probabilities are 3/4 and 1/4."""
    student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[4.0 * math.log(3.0), 0.0]])
    expected = 16 * (0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5))
    assert distillation_loss(student, teacher, 4.0).item() == pytest.approx(expected, rel=1e-5)
    assert distillation_loss(teacher, teacher, 4.0).item() == pytest.approx(0, abs=1e-6)


def test_the_teacher_stays_as_it_was(net):
    teacher = Teacher(net, weight=1.0, temperature=2.0)
    images = example()
    wanted = net.eval()(images).detach()
    with torch.no_grad():
        net.head.weight.add_(1.0)
    scores = net(images)
    blended = teacher.blend(F.cross_entropy(scores, torch.tensor([0, 1])), scores, images)
    assert blended.item() == pytest.approx(distillation_loss(scores, wanted, 2.0).item(), rel=1e-5)
    blended.backward()
    assert all(p.grad is None for p in teacher.network.parameters())


def test_the_weight_blends(net):
    images = example()
    scores = net(images)
    labels = F.cross_entropy(scores, torch.tensor([0, 1]))
    assert Teacher(net, 0.0, 2.0).blend(labels, scores, images).item() == labels.item()
