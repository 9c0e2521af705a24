import pytest
import torch
from torch import nn

from tvm_patdnn.pruning import PruneOptions
from tvm_patdnn.sparse.patterns import Pattern
from tvm_patdnn.training.methods.reweighted import Reweighted
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.projection import NetworkProjection

OPTIONS = PruneOptions(
    patterns=[Pattern.from_picture("##./##./...")], connectivity=2.0, per_layer={"0": 2.0}
)


@pytest.fixture
def model():
    conv = nn.Conv2d(2, 1, 3, bias=False)
    with torch.no_grad():
        conv.weight[0, 0], conv.weight[0, 1] = 1.0, 2.0
    return nn.Sequential(conv)


@pytest.fixture
def method(model):
    config = PrunerConfig(method="reweighted", prune=OPTIONS, strength=0.1, update_every=2)
    return Reweighted(model, NetworkProjection.of_model(model, OPTIONS), config)


def test_penalty_by_hand(method):
    """All nine entries of the weak kernel go, and five of the strong one, each counting 1."""
    assert method.penalty().item() == pytest.approx(0.1 * 14, rel=1e-3)


def test_weak_weights_are_penalised_harder(model, method):
    with torch.no_grad():
        model[0].weight[0, 1, 2, 2] = 0.1
    method.step(2)
    method.penalty().backward()
    gradient = model[0].weight.grad[0, 1]
    assert gradient[0, 0] == 0
    assert gradient[2, 2] > 5 * gradient[2, 1] > 0


def test_the_residual_is_what_would_go(method):
    assert method.distance() == pytest.approx(((9 * 1 + 5 * 4) / (9 * 1 + 9 * 4)) ** 0.5)
    method.step(2)
    assert method.log == [{"epoch": 2, "residual": method.distance()}]


def test_state_round_trip(model, method):
    config = PrunerConfig(method="reweighted", prune=OPTIONS, strength=0.1)
    with torch.no_grad():
        model[0].weight.mul_(3)
    other = Reweighted(model, NetworkProjection.of_model(model, OPTIONS), config)
    assert other.penalty().item() != method.penalty().item()
    other.load_state_dict(method.state_dict())
    assert other.penalty().item() == method.penalty().item()
